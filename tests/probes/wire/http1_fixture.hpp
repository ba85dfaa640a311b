// One response fed to Http1Response in any pieces, and what came of it.
#pragma once

#include "probes/wire/http1_response.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonde::test {

using sonde::probes::wire::Http1Error;
using sonde::probes::wire::Http1Response;
using sonde::probes::wire::ResponseSink;
using sonde::probes::wire::ResponseState;

/// Writes down what it is told.
class Recorder final : public ResponseSink {
public:
    void on_status(unsigned status, unsigned version, std::string_view reason) override {
        log += "status " + std::to_string(status) + ' ' + std::to_string(version) + ' ' +
               std::string{reason} + '\n';
    }

    void on_field(std::string_view name, std::string_view value) override {
        log += "field " + std::string{name} + '=' + std::string{value} + '\n';
    }

    void on_header_end() override { log += "end\n"; }

    bool on_body(std::span<const char> piece) override {
        CHECK_FALSE(piece.empty());
        body.append(piece.data(), piece.size());
        return body.size() < stop_at;
    }

    void on_trailer(std::string_view name, std::string_view value) override {
        log += "trailer " + std::string{name} + '=' + std::string{value} + '\n';
    }

    std::string log;
    std::string body;
    std::size_t stop_at = static_cast<std::size_t>(-1);
};

struct Outcome {
    ResponseState state = ResponseState::header;
    Http1Error error = Http1Error::none;
    std::string text;
    std::string log;
    std::string body;
    std::size_t consumed = 0;

    bool operator==(const Outcome&) const = default;
};

// Feeds the pieces that the cuts make of a message, then the end of the connection if asked for.
inline Outcome run(Http1Response& parser,
                   std::string_view message,
                   const std::vector<std::size_t>& cuts,
                   bool close) {
    Recorder sink;
    std::size_t consumed = 0;
    std::size_t begin = 0;
    auto ends = cuts;
    ends.push_back(message.size());
    for (const auto end : ends) {
        // A copy of its own, so that a sanitizer sees a read behind a piece.
        const std::vector<char> piece(message.begin() + static_cast<std::ptrdiff_t>(begin),
                                      message.begin() + static_cast<std::ptrdiff_t>(end));
        const auto fed = parser.feed(piece, sink);
        CHECK(fed.state == parser.state());
        if (fed.state == ResponseState::header || fed.state == ResponseState::body) {
            CHECK(fed.consumed == piece.size());
        }
        if (consumed == begin) {
            consumed += fed.consumed;
        }
        begin = end;
    }
    if (close) {
        parser.finish(sink);
    }
    return {parser.state(),
            parser.error(),
            std::string{parser.error_text()},
            sink.log,
            sink.body,
            consumed};
}

inline Outcome whole(std::string_view message, bool close = false, bool head = false) {
    Http1Response parser;
    parser.reset(head);
    return run(parser, message, {}, close);
}

// Every cut in two, and all bytes one by one, on one parser that is used again and again.
inline void check_splits(std::string_view message, bool close = false, bool head = false) {
    const auto expected = whole(message, close, head);
    Http1Response parser;
    const auto same = [&](const std::vector<std::size_t>& cuts) {
        parser.reset(head);
        auto outcome = run(parser, message, cuts, close);
        if (expected.state == ResponseState::failed) {
            // How much a failed answer had given away before depends on the split.
            CHECK(outcome.state == expected.state);
            CHECK(outcome.error == expected.error);
        } else {
            CHECK(outcome == expected);
        }
    };
    std::vector<std::size_t> bytes;
    for (std::size_t cut = 0; cut <= message.size(); ++cut) {
        CAPTURE(cut);
        same({cut});
        if (cut > 0 && cut < message.size()) {
            bytes.push_back(cut);
        }
    }
    same(bytes);
    for (std::size_t step = 2; step < 9; ++step) {
        CAPTURE(step);
        std::vector<std::size_t> cuts;
        for (auto cut = step; cut < message.size(); cut += step) {
            cuts.push_back(cut);
        }
        same(cuts);
    }
}

}  // namespace sonde::test
