// Socks5Client against scripted proxies: every split, every end, every reply.
#include "probes/wire/socks5.hpp"

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wire = sonde::probes::wire;

using wire::Socks5Client;
using wire::Socks5Credentials;
using wire::Socks5Host;
using wire::Socks5State;
using namespace std::string_literals;

namespace {

const Socks5Credentials credentials{.user = "me", .password = "hush"};
const std::string name_reply = "\x05\0\0\x03\x04host\x1f\x90"s;

struct Dialogue {
    std::optional<Socks5Credentials> credentials;
    std::vector<std::string> sent;      // by the client
    std::vector<std::string> answered;  // by the proxy, one to each
};

const std::string connect_name = "\x05\x01\0\x03\x0cshop.example\x01\xbb"s;

std::vector<Dialogue> good_dialogues() {
    const auto four = "\x05\0\0\x01\x7f\0\0\x01\x04\x38"s;
    const auto six = "\x05\0\0\x04"s + std::string(16, '\x01') + "\x04\x38";
    std::vector<Dialogue> dialogues;
    for (const auto& reply : {four,
                              six,
                              name_reply,
                              "\x05\0\x09\x03\0\0\0"s,
                              "\x05\0\0\x03\xff"s + std::string(255, 'n') + "\0\0"s}) {
        dialogues.push_back({{}, {"\x05\x01\0"s, connect_name}, {"\x05\0"s, reply}});
        dialogues.push_back({credentials, {"\x05\x02\0\x02"s, connect_name}, {"\x05\0"s, reply}});
        dialogues.push_back({credentials,
                             {"\x05\x02\0\x02"s, "\x01\x02me\x04hush", connect_name},
                             {"\x05\x02"s, "\x01\0"s, reply}});
    }
    return dialogues;
}

/// Feeds two pieces, the first of them `cut` bytes.
wire::Socks5State feed_cut(Socks5Client& client, std::string_view bytes, std::size_t cut) {
    const auto first = client.feed(bytes.substr(0, cut));
    CHECK(first.consumed == cut);
    return client.feed(bytes.substr(cut)).state;
}

/// The error of a client that was answered `answers`, each after what it sent.
std::string failure(std::optional<Socks5Credentials> with,
                    const std::vector<std::string>& answers) {
    Socks5Client client{"shop.example", 443, with};
    for (const auto& answer : answers) {
        CHECK_FALSE(client.output().empty());
        client.feed(answer);
    }
    CHECK(client.state() == Socks5State::failed);
    CHECK(client.output().empty());
    return client.error_text();
}

}  // namespace

TEST_CASE("socks5: good dialogues, cut everywhere") {
    for (const auto& dialogue : good_dialogues()) {
        for (std::size_t message = 0; message < dialogue.answered.size(); ++message) {
            for (std::size_t cut = 1; cut <= dialogue.answered[message].size(); ++cut) {
                Socks5Client client{"shop.example", 443, dialogue.credentials};
                for (std::size_t i = 0; i < dialogue.sent.size(); ++i) {
                    CHECK(client.state() == Socks5State::more);
                    CHECK(client.output() == dialogue.sent[i]);
                    const auto& answer = dialogue.answered[i];
                    feed_cut(client, answer, i == message ? cut : answer.size());
                }
                CHECK(client.state() == Socks5State::connected);
                CHECK(client.output().empty());
                CHECK(client.error_text().empty());
                CHECK(client.finish() == Socks5State::connected);
            }
        }
    }
}

TEST_CASE("socks5: what was sent is not sent again with a partial answer") {
    Socks5Client client{"shop.example", 443, {}};
    CHECK_FALSE(client.output().empty());
    CHECK(client.feed("\x05"s).state == Socks5State::more);
    CHECK(client.output().empty());
    CHECK(client.feed({}).consumed == 0);
    client.feed("\0"s);
    CHECK(client.output() == connect_name);
}

TEST_CASE("socks5: bytes behind the reply are the target's") {
    for (const auto& dialogue : good_dialogues()) {
        Socks5Client client{"shop.example", 443, dialogue.credentials};
        for (std::size_t i = 0; i + 1 < dialogue.answered.size(); ++i) {
            client.feed(dialogue.answered[i]);
        }
        const auto& reply = dialogue.answered.back();
        const auto fed = client.feed(reply + "\x05\0SSH-2.0"s);
        CHECK(fed.state == Socks5State::connected);
        CHECK(fed.consumed == reply.size());
        const auto after = client.feed("more"s);
        CHECK(after.state == Socks5State::connected);
        CHECK(after.consumed == 0);
    }
}

TEST_CASE("socks5: a proxy that closes") {
    for (const auto& dialogue : good_dialogues()) {
        for (std::size_t message = 0; message < dialogue.answered.size(); ++message) {
            for (std::size_t end = 0; end < dialogue.answered[message].size(); ++end) {
                Socks5Client client{"shop.example", 443, dialogue.credentials};
                for (std::size_t i = 0; i < message; ++i) {
                    client.feed(dialogue.answered[i]);
                }
                client.feed(dialogue.answered[message].substr(0, end));
                CHECK(client.state() == Socks5State::more);
                CHECK(client.finish() == Socks5State::failed);
                const std::string what = message == 0 ? "the greeting"
                                         : message + 1 == dialogue.answered.size()
                                             ? "CONNECT"
                                             : "the user name and password";
                CHECK(client.error_text() == "the proxy closed instead of answering " + what);
                CHECK(client.feed(name_reply).state == Socks5State::failed);
            }
        }
    }
}

TEST_CASE("socks5: addresses") {
    const auto request = [](const Socks5Host& host, std::uint16_t port) {
        Socks5Client client{host, port, {}};
        client.feed("\x05\0"s);
        return std::string{client.output()};
    };
    CHECK(request(std::array<std::uint8_t, 4>{192, 0, 2, 1}, 0x1234) ==
          "\x05\x01\0\x01\xc0\0\x02\x01\x12\x34"s);
    CHECK(request(
              std::array<std::uint8_t, 16>{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
              65535) == "\x05\x01\0\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\xff\xff"s);
    CHECK(request(std::string(255, 'h'), 1) ==
          "\x05\x01\0\x03\xff"s + std::string(255, 'h') + "\0\x01"s);
}

TEST_CASE("socks5: every reply code") {
    const std::vector<std::string> texts{"general failure of the proxy (1)",
                                         "not allowed by the proxy's rules (2)",
                                         "network unreachable (3)",
                                         "host unreachable (4)",
                                         "connection refused (5)",
                                         "TTL expired (6)",
                                         "the proxy does not know CONNECT (7)",
                                         "the proxy does not know this type of address (8)"};
    for (std::size_t code = 1; code < 256; ++code) {
        const auto expected = code <= texts.size() ? texts[code - 1]
                                                   : "a reply that SOCKS5 does not have (" +
                                                         std::to_string(code) + ')';
        const auto reply = "\x05"s + static_cast<char>(code);
        CHECK(failure({}, {"\x05\0"s, reply}) == expected);
        CHECK(failure({}, {"\x05\0"s, reply + "\0\x01\0\0\0\0\0\0"s}) == expected);
    }
}

TEST_CASE("socks5: every method") {
    for (int method = 0; method < 256; ++method) {
        CAPTURE(method);
        const auto choice = "\x05"s + static_cast<char>(method);
        const auto unasked = "not SOCKS5: the proxy chose method " + std::to_string(method) +
                             ", which it was not offered";
        if (method == 255) {
            CHECK(failure({}, {choice}) ==
                  "no acceptable method: the proxy wants authentication and there is no user name");
            CHECK(failure(credentials, {choice}) ==
                  "no acceptable method: the proxy wants other authentication than a password");
        } else if (method != 0) {
            CHECK(failure({}, {choice}) == unasked);
            if (method != 2) {
                CHECK(failure(credentials, {choice}) == unasked);
            }
        }
    }
}

TEST_CASE("socks5: every answer to a password") {
    for (int status = 1; status < 256; ++status) {
        CHECK(failure(credentials, {"\x05\x02"s, "\x01"s + static_cast<char>(status)}) ==
              "the proxy refused the user name or password (" + std::to_string(status) + ')');
    }
}

TEST_CASE("socks5: what is not SOCKS5") {
    CHECK(failure({}, {"HTTP/1.1 400 Bad Request\r\n"}) ==
          "not SOCKS5: an answer begins with \"HTTP/1.1 400 Bad\"");
    CHECK(failure({}, {"\x04\x5a"s}) == "not SOCKS5: an answer begins with \"\\x04Z\"");
    CHECK(failure({}, {"\x05\0"s, "\0\x5a"s}) == "not SOCKS5: an answer begins with \"\\x00Z\"");
    CHECK(failure(credentials, {"\x05\x02"s, "\x05\0"s}) ==
          "not SOCKS5: an answer begins with \"\\x05\\x00\"");
    CHECK(failure({}, {"\x05\0"s, "\x05\0\0\x02\0"s}) == "not SOCKS5: type of address 2");
    const auto early = "not SOCKS5: the proxy sends what nothing asked for";
    CHECK(failure({}, {"\x05\0\x05"s}) == early);
    CHECK(failure(credentials, {"\x05\x02"s, "\x01\0\x05\0"s}) == early);
}

TEST_CASE("socks5: lengths") {
    const std::string longest(255, 'x');
    CHECK(wire::check_socks5_user("u").empty());
    CHECK(wire::check_socks5_user(longest).empty());
    CHECK(wire::check_socks5_user("") == "the user name is empty");
    CHECK(wire::check_socks5_user(longest + 'x') ==
          "the user name is longer than 255 bytes, more than SOCKS5 can send");
    CHECK(wire::check_socks5_password("").empty());
    CHECK(wire::check_socks5_password(longest).empty());
    CHECK(wire::check_socks5_password(longest + 'x') ==
          "the password is longer than 255 bytes, more than SOCKS5 can send");
    CHECK(wire::check_socks5_host(longest).empty());
    CHECK(wire::check_socks5_host("") == "the host name is empty");
    CHECK(wire::check_socks5_host(longest + 'x') ==
          "the host name is longer than 255 bytes, more than SOCKS5 can send");

    const auto refused = [](const Socks5Host& host, const Socks5Credentials& with) {
        Socks5Client client{host, 1, with};
        CHECK(client.output().empty());
        CHECK(client.feed("\x05\0"s).state == Socks5State::failed);
        return client.error_text();
    };
    const auto too_long = longest + 'x';
    CHECK(refused(too_long, credentials) == wire::check_socks5_host(too_long));
    CHECK(refused("h", {.user = too_long, .password = "p"}) == wire::check_socks5_user(too_long));
    CHECK(refused("h", {.user = "u", .password = too_long}) ==
          wire::check_socks5_password(too_long));
    Socks5Client full{"h", 1, Socks5Credentials{.user = longest, .password = longest}};
    full.feed("\x05\x02"s);
    CHECK(full.output() == "\x01\xff" + longest + "\xff" + longest);
}
