// Http2Client: what it asks, and good answers in every split.
#include "tests/probes/wire/http2_fixture.hpp"

#include <doctest/doctest.h>

#include <array>
#include <stdexcept>
#include <string>

namespace sonde::test {

namespace {

/// Lets both sides talk until neither has anything to say.
void converse(Http2Client& client, Http2Peer& peer) {
    for (;;) {
        const std::string asked = drain(client);
        peer.feed(asked);
        const std::string answer = peer.take();
        if (asked.empty() && answer.empty()) {
            return;
        }
        client.feed(answer);
    }
}

/// What a real server of HTTP/2 sends for a reply.
std::string real_answer(const sonde::tests::Http2Reply& reply, std::string_view method = "GET") {
    Http2Client client;
    Recorder sink;
    Http2Peer peer;
    peer.on_request = [&reply](Http2Peer& server, std::int32_t stream) {
        server.interim(stream, "103");
        server.reply(stream, reply);
    };
    client.request(get(method), sink);
    peer.feed(drain(client));
    return peer.take();
}

}  // namespace

TEST_CASE("http2: a request as the server sees it") {
    Http2Client client;
    Recorder sink;
    Http2Peer peer;
    peer.on_request = [](Http2Peer& server, std::int32_t stream) {
        server.reply(stream, {.status = "200"});
    };
    const std::array<Http2Field, 10> fields{{{"User-Agent", "Sonde"},
                                             {"Connection", "close"},
                                             {"Keep-Alive", "x"},
                                             {"Proxy-Connection", "x"},
                                             {"Transfer-Encoding", "chunked"},
                                             {"Upgrade", "h2c"},
                                             {"Host", "other.example"},
                                             {"TE", "gzip"},
                                             {"te", "trailers"},
                                             {"X-Trace", "A B"}}};
    auto request = get();
    request.fields = fields;
    client.request(request, sink);
    const auto first = client.output();
    CHECK(std::string_view{first.data(), first.size()}.starts_with(
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    converse(client, peer);
    REQUIRE(peer.asked().size() == 1);
    CHECK(peer.asked()[0].fields == Http2Fields{{":method", "GET"},
                                                {":scheme", "https"},
                                                {":authority", "shop.example"},
                                                {":path", "/a?b"},
                                                {"user-agent", "Sonde"},
                                                {"te", "trailers"},
                                                {"x-trace", "A B"}});
    CHECK(client.state() == Http2State::complete);
    CHECK(client.status() == 200);
}

TEST_CASE("http2: a body, trailers and facts") {
    const std::string answer = real_answer(
        {.status = "404",
         .fields = {{"content-type", "text/plain"}, {"content-length", "11"}, {"x-empty", ""}},
         .pieces = {"hello", " ", "world"},
         .trailers = {{"x-sum", "1"}}});
    const auto outcome = ask(answer);
    CHECK(outcome.state == Http2State::complete);
    CHECK(outcome.body == "hello world");
    CHECK(outcome.log ==
          "status 404 20 \nfield content-type=text/plain\nfield content-length=11\n"
          "field x-empty=\nend\ntrailer x-sum=1\n");
    CHECK(outcome.reusable);
    check_splits2(answer);

    Http2Client client;
    ask(client, answer, answer.size());
    CHECK(client.status() == 404);
    CHECK(client.version() == 20);
    CHECK(client.content_length() == 11);
    CHECK(client.interim_responses() == 1);
    CHECK(client.body_bytes() == 11);
    CHECK(client.error() == Http2Error::none);
    CHECK(client.error_text().empty());
    client.reset();
    CHECK(client.status() == 0);
    CHECK(client.version() == 0);
    CHECK_FALSE(client.content_length());
    CHECK(client.interim_responses() == 0);
}

TEST_CASE("http2: answers without a body") {
    for (const std::string status : {"204", "304", "200"}) {
        const std::string answer = real_answer({.status = status});
        CHECK(ask(answer).state == Http2State::complete);
        CHECK(ask(answer).body.empty());
        check_splits2(answer);
    }
    const std::string to_head =
        hello() + header_frame({{":status", "200"}, {"content-length", "5"}}, h2::end_stream);
    CHECK(ask(to_head, false, "HEAD").state == Http2State::complete);
    CHECK(ask(to_head, false, "GET").error == Http2Error::malformed);
    check_splits2(to_head, "HEAD");
    Http2Client client;
    ask(client, to_head, 1, false, "HEAD");
    CHECK(client.content_length() == 5);
    CHECK(ask(hello() + header_frame({{":status", "204"}, {"content-length", "0"}}, h2::end_stream))
              .state == Http2State::complete);
}

TEST_CASE("http2: blanks around values, padding, frames of no known type and of no use") {
    const std::string answer =
        hello() + http2_frame(h2::settings, h2::ack, 0) + http2_frame(0x7e, 0xff, 1, "what") +
        http2_frame(h2::ping, 0, 0, "12345678") +
        header_frame({{":status", "200"}, {"a", " b\t"}}) +
        http2_frame(h2::data, h2::padded, 1, std::string{"\3ab\0\0\0", 6}) + data_frame("") +
        http2_frame(h2::window_update, 0, 0, number(100)) + data_frame("c", h2::end_stream);
    const auto outcome = ask(answer);
    CHECK(outcome.state == Http2State::complete);
    CHECK(outcome.log == "status 200 20 \nfield a=b\nend\n");
    CHECK(outcome.body == "abc");
    CHECK(outcome.output.ends_with(http2_frame(h2::ping, h2::ack, 0, "12345678")));
    check_splits2(answer);
}

TEST_CASE("http2: a header in several frames") {
    const std::string block = http2_block({{":status", "200"}, {"a", std::string(300, 'x')}});
    const std::string answer =
        hello() + http2_frame(h2::headers, 0, 1, block.substr(0, 20)) +
        http2_frame(h2::continuation, 0, 1, block.substr(20, 100)) +
        http2_frame(h2::continuation, h2::end_headers, 1, block.substr(120)) +
        data_frame("x", h2::end_stream);
    CHECK(ask(answer).state == Http2State::complete);
    CHECK(ask(answer).log == "status 200 20 \nfield a=" + std::string(300, 'x') + "\nend\n");
    check_splits2(answer);
}

TEST_CASE("http2: the sink that wants no more ends the response, not the connection") {
    Http2Client client;
    Recorder sink;
    sink.stop_at = 5;
    Http2Peer peer;
    peer.on_request = [](Http2Peer& server, std::int32_t stream) {
        server.reply(stream, {.pieces = {"hello", std::string(40000, 'x'), "end"}});
    };
    client.request(get(), sink);
    converse(client, peer);
    CHECK(client.state() == Http2State::stopped);
    CHECK(sink.body == "hello");
    CHECK(client.body_bytes() == 5);
    CHECK(client.error() == Http2Error::none);
    REQUIRE(peer.asked().size() == 1);
    CHECK(peer.asked()[0].was_reset);
    CHECK(peer.asked()[0].reset_code == h2::cancel);
    CHECK(client.reusable());

    Recorder second;
    client.request(get(), second);
    converse(client, peer);
    CHECK(client.state() == Http2State::complete);
    CHECK(second.body.size() == 40008);
}

TEST_CASE("http2: what the caller cancels is stopped") {
    Http2Client client;
    Recorder sink;
    Http2Peer peer;
    client.request(get(), sink);
    converse(client, peer);
    CHECK(client.state() == Http2State::header);
    CHECK_FALSE(client.reusable());
    client.cancel();
    CHECK(client.state() == Http2State::stopped);
    converse(client, peer);
    CHECK(peer.asked()[0].was_reset);
    CHECK(peer.asked()[0].reset_code == h2::cancel);
    client.cancel();
    CHECK_FALSE(client.wants_write());
}

TEST_CASE("http2: many requests on one connection") {
    Http2Client client;
    Http2Peer peer;
    std::size_t served = 0;
    peer.on_request = [&served](Http2Peer& server, std::int32_t stream) {
        server.reply(stream, {.pieces = {std::to_string(served++), std::string(300000, 'x')}});
    };
    for (std::size_t i = 0; i < 20; ++i) {
        CAPTURE(i);
        Recorder sink;
        CHECK(client.reusable());
        client.request(get(), sink);
        CHECK(client.state() == Http2State::header);
        CHECK(client.body_bytes() == 0);
        converse(client, peer);
        CHECK(client.state() == Http2State::complete);
        CHECK(sink.body == std::to_string(i) + std::string(300000, 'x'));
    }
    // A new connection of the same client begins with another preface.
    client.reset();
    Http2Peer other;
    Recorder sink;
    client.request(get(), sink);
    converse(client, other);
    CHECK(other.asked().size() == 1);
}

TEST_CASE("http2: a request while another runs cancels that") {
    Http2Client client;
    Http2Peer peer;
    Recorder first;
    Recorder second;
    client.request(get(), first);
    converse(client, peer);
    client.request(get(), second);
    converse(client, peer);
    REQUIRE(peer.asked().size() == 2);
    CHECK(peer.asked()[0].was_reset);
    peer.reply(peer.asked()[1].stream, {.pieces = {"for the second"}});
    converse(client, peer);
    CHECK(first.log.empty());
    CHECK(second.body == "for the second");
}

TEST_CASE("http2: a body larger than all windows, received") {
    Http2Client client;
    Recorder sink;
    Http2Peer peer;
    std::string body;
    for (std::size_t i = 0; body.size() < std::size_t{5} * 1024 * 1024; ++i) {
        body += std::to_string(i);
    }
    peer.on_request = [&body](Http2Peer& server, std::int32_t stream) {
        server.reply(
            stream,
            {.fields = {{"content-length", std::to_string(body.size())}}, .pieces = {body}});
    };
    client.request(get(), sink);
    // Until the client speaks again, the server is held by the window: the caller that does not
    // feed is not sent more.
    peer.feed(drain(client));
    std::string ahead = peer.take();
    client.feed(std::string_view{ahead}.substr(0, 200));
    peer.feed(drain(client));  // the acknowledgement of SETTINGS opens nothing
    ahead = ahead.substr(200) + peer.take();
    CHECK(ahead.size() > 1000 * 1000);
    CHECK(ahead.size() < 1200 * 1000);
    CHECK(peer.take().empty());
    CHECK(peer.client_window(1) == 0);
    client.feed(ahead);
    converse(client, peer);
    CHECK(client.state() == Http2State::complete);
    CHECK(sink.body == body);
}

TEST_CASE("http2: a body larger than all windows, sent") {
    const std::string body(std::size_t{3} * 1024 * 1024, 'b');
    for (const bool give_back : {true, false}) {
        CAPTURE(give_back);
        Http2Client client;
        Recorder sink;
        Http2Peer peer{{.initial_window = 100000, .give_back = give_back}};
        peer.on_request = [](Http2Peer& server, std::int32_t stream) {
            server.reply(stream, {.status = "201"});
        };
        auto request = get("POST");
        request.body = body;
        client.request(request, sink);
        // Little waits in the client, however large the body is.
        CHECK(client.output().size() < 64 * 1024);
        converse(client, peer);
        if (give_back) {
            CHECK(client.state() == Http2State::complete);
            CHECK(client.status() == 201);
            CHECK(peer.asked()[0].body == body);
        } else {
            CHECK(client.state() == Http2State::header);
            CHECK(peer.asked()[0].body.size() == 65535);  // the window of the connection
        }
    }
}

TEST_CASE("http2: output is taken in any pieces") {
    const std::string body(200000, 'b');
    Http2Client client;
    Recorder sink;
    Http2Peer peer{{.initial_window = 1000000}};
    peer.on_request = [](Http2Peer& server, std::int32_t stream) {
        server.reply(stream, {});
    };
    auto request = get("POST");
    request.body = body;
    client.request(request, sink);
    for (int round = 0; round < 1000000 && client.state() == Http2State::header; ++round) {
        const auto output = client.output();
        const auto size = std::min<std::size_t>(output.size(), 7);
        peer.feed({output.data(), size});
        client.sent(size);
        client.feed(peer.take());
    }
    CHECK(client.state() == Http2State::complete);
    CHECK(peer.asked()[0].body == body);
}

TEST_CASE("http2: an answer before the end of the request ends the request") {
    Http2Client client;
    Recorder sink;
    Http2Peer peer{{.initial_window = 1000, .give_back = false}};
    peer.on_request_header = [](Http2Peer& server, std::int32_t stream) {
        server.reply(stream, {.status = "413", .pieces = {"too much"}});
    };
    std::string body(100000, 'b');
    auto request = get("POST");
    request.body = body;
    client.request(request, sink);
    peer.feed(drain(client));
    client.feed(peer.take());
    CHECK(client.state() == Http2State::complete);
    CHECK(client.status() == 413);
    body.clear();
    body.shrink_to_fit();  // is not touched any more
    converse(client, peer);
    CHECK(peer.asked()[0].was_reset);
    CHECK(client.reusable());
    peer.on_request_header = nullptr;
    peer.on_request = [](Http2Peer& server, std::int32_t stream) {
        server.reply(stream, {});
    };
    client.request(get(), sink);
    converse(client, peer);
    CHECK(client.status() == 200);
}

TEST_CASE("http2: what a sink throws comes out, and the client begins anew with reset()") {
    class Thrower final : public sonde::probes::wire::ResponseSink {
    public:
        void on_status(unsigned, unsigned, std::string_view) override {}

        void on_field(std::string_view, std::string_view) override {}

        void on_header_end() override {}

        bool on_body(std::span<const char>) override { throw std::runtime_error{"sink"}; }

        void on_trailer(std::string_view, std::string_view) override {}
    };

    const std::string answer =
        hello() + header_frame({{":status", "200"}}) + data_frame("x", h2::end_stream);
    Http2Client client;
    Thrower sink;
    client.request(get(), sink);
    CHECK_THROWS_AS(client.feed(answer), std::runtime_error);
    CHECK(ask(client, answer, 1).state == Http2State::complete);
}

}  // namespace sonde::test
