// An HTTP/2 server for checks: Http2Peer behind a scripted server.
#pragma once

#include "tests/support/http2_peer.hpp"
#include "tests/support/scripted_server.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace sonde::tests {

/// Answers each request on the connection; false ends it when what was said is sent.
using Http2Answerer = std::function<bool(Http2Peer&, std::int32_t)>;

/// What a server was asked, over all its connections.
struct Http2Record {
    std::mutex mutex;
    std::vector<Http2Asked> requests;

    std::vector<Http2Asked> all() {
        const std::lock_guard lock(mutex);
        return requests;
    }
};

[[nodiscard]] inline Step speak_http2(Http2Answerer answerer,
                                      std::shared_ptr<Http2Record> record,
                                      Http2PeerOptions options = {}) {
    return [answerer = std::move(answerer), record = std::move(record), options](Peer& peer) {
        Http2Peer http2{options};
        bool going = true;
        http2.on_request = [&](Http2Peer& self, std::int32_t stream) {
            {
                const std::lock_guard lock(record->mutex);
                record->requests.push_back(self.asked().back());
            }
            going = going && answerer(self, stream);
        };
        std::size_t taken = 0;
        while (going && peer.receive()) {
            const std::string received = peer.conversation().received;
            http2.feed(std::string_view{received}.substr(taken));
            taken = received.size();
            if (!peer.send(http2.take())) {
                return false;
            }
        }
        return false;
    };
}

/// The same reply to every request.
[[nodiscard]] inline Http2Answerer http2_reply(Http2Reply reply) {
    return [reply = std::move(reply)](Http2Peer& peer, std::int32_t stream) {
        peer.reply(stream, reply);
        return true;
    };
}

}  // namespace sonde::tests
