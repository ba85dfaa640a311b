#include "probes/wire/socks5.hpp"

#include "probes/wire/printable.hpp"

#include <algorithm>

namespace sonde::probes::wire {

namespace {

constexpr std::uint8_t socks_version = 5;
constexpr std::uint8_t login_version = 1;  // RFC 1929 section 2
constexpr std::uint8_t method_none = 0;
constexpr std::uint8_t method_login = 2;
constexpr std::uint8_t method_refused = 0xff;
constexpr std::uint8_t command_connect = 1;
constexpr std::uint8_t type_ipv4 = 1;
constexpr std::uint8_t type_name = 3;
constexpr std::uint8_t type_ipv6 = 4;

constexpr std::size_t longest = 255;  // lengths are one byte

std::string check(std::string_view text, std::string_view what, std::size_t shortest) {
    if (text.size() > longest) {
        return std::string{what} + " is longer than 255 bytes, more than SOCKS5 can send";
    }
    return text.size() < shortest ? std::string{what} + " is empty" : std::string{};
}

void append(std::string& message, std::uint8_t byte) {
    message += static_cast<char>(byte);
}

void append_counted(std::string& message, std::string_view text) {
    append(message, static_cast<std::uint8_t>(text.size()));
    message += text;
}

/// RFC 1928 section 4.
std::string connect_request(const Socks5Host& host, std::uint16_t port) {
    std::string request;
    append(request, socks_version);
    append(request, command_connect);
    append(request, 0);
    if (const auto* const name = std::get_if<std::string>(&host)) {
        append(request, type_name);
        append_counted(request, *name);
    } else if (const auto* const ipv4 = std::get_if<std::array<std::uint8_t, 4>>(&host)) {
        append(request, type_ipv4);
        request.append(ipv4->begin(), ipv4->end());
    } else {
        const auto& ipv6 = std::get<std::array<std::uint8_t, 16>>(host);
        append(request, type_ipv6);
        request.append(ipv6.begin(), ipv6.end());
    }
    append(request, static_cast<std::uint8_t>(port >> 8U));
    append(request, static_cast<std::uint8_t>(port & 0xffU));
    return request;
}

/// RFC 1928 section 6.
std::string reply_text(std::uint8_t reply) {
    constexpr std::array<std::string_view, 9> texts{"",
                                                    "general failure of the proxy",
                                                    "not allowed by the proxy's rules",
                                                    "network unreachable",
                                                    "host unreachable",
                                                    "connection refused",
                                                    "TTL expired",
                                                    "the proxy does not know CONNECT",
                                                    "the proxy does not know this type of address"};
    const auto text = reply < texts.size() ? texts[reply] : "a reply that SOCKS5 does not have";
    return std::string{text} + " (" + std::to_string(reply) + ')';
}

}  // namespace

std::string check_socks5_user(std::string_view user) {
    return check(user, "the user name", 1);
}

/// RFC 1929 wants a byte at least, but tokens as user names come without a password.
std::string check_socks5_password(std::string_view password) {
    return check(password, "the password", 0);
}

std::string check_socks5_host(std::string_view name) {
    return check(name, "the host name", 1);
}

Socks5Client::Socks5Client(const Socks5Host& host,
                           std::uint16_t port,
                           std::optional<Socks5Credentials> credentials) {
    std::string wrong;
    if (const auto* const name = std::get_if<std::string>(&host)) {
        wrong = check_socks5_host(*name);
    }
    if (credentials && wrong.empty()) {
        wrong = check_socks5_user(credentials->user);
    }
    if (credentials && wrong.empty()) {
        wrong = check_socks5_password(credentials->password);
    }
    if (!wrong.empty()) {
        fail(std::move(wrong));
        return;
    }
    append(greeting_, socks_version);
    append(greeting_, credentials ? 2 : 1);
    append(greeting_, method_none);
    if (credentials) {
        append(greeting_, method_login);
        append(login_, login_version);
        append_counted(login_, credentials->user);
        append_counted(login_, credentials->password);
    }
    connect_ = connect_request(host, port);
    output_ = greeting_;
}

Socks5Client::Fed Socks5Client::feed(std::span<const char> data) {
    if (state_ != Socks5State::more || data.empty()) {
        return {0, state_};
    }
    output_ = {};
    std::size_t taken = 0;
    while (taken < data.size() && state_ == Socks5State::more) {
        if (!output_.empty()) {
            fail("not SOCKS5: the proxy sends what nothing asked for");
            break;
        }
        const auto version = step_ == Step::login ? login_version : socks_version;
        if (size_ == 0 && data[taken] != static_cast<char>(version)) {
            const std::string_view rest{data.data() + taken, data.size() - taken};
            fail("not SOCKS5: an answer begins with \"" + printable(rest) + '"');
            break;
        }
        message_[size_++] = data[taken++];
        take_message();
    }
    return {taken, state_};
}

Socks5State Socks5Client::finish() {
    if (state_ == Socks5State::more) {
        constexpr std::array<std::string_view, 3> asked{
            "the greeting", "the user name and password", "CONNECT"};
        fail("the proxy closed instead of answering " +
             std::string{asked[static_cast<std::size_t>(step_)]});
    }
    return state_;
}

void Socks5Client::take_message() {
    switch (step_) {
        case Step::method:
            return take_method();
        case Step::login:
            return take_login();
        case Step::reply:
            return take_reply();
    }
}

void Socks5Client::take_method() {
    if (size_ < 2) {
        return;
    }
    const auto method = at(1);
    if (method == method_none) {
        go_on(Step::reply, connect_);
    } else if (method == method_login && !login_.empty()) {
        go_on(Step::login, login_);
    } else if (method != method_refused) {
        fail("not SOCKS5: the proxy chose method " + std::to_string(method) +
             ", which it was not offered");
    } else if (login_.empty()) {
        fail("no acceptable method: the proxy wants authentication and there is no user name");
    } else {
        fail("no acceptable method: the proxy wants other authentication than a password");
    }
}

void Socks5Client::take_login() {
    if (size_ < 2) {
        return;
    }
    if (const auto status = at(1); status != 0) {
        fail("the proxy refused the user name or password (" + std::to_string(status) + ')');
        return;
    }
    go_on(Step::reply, connect_);
}

void Socks5Client::take_reply() {
    // A refusal is told before the address behind it, which some proxies leave out.
    if (size_ >= 2 && at(1) != 0) {
        fail(reply_text(at(1)));
        return;
    }
    if (size_ < 5) {
        return;
    }
    std::size_t address = 0;
    switch (at(3)) {
        case type_ipv4:
            address = 4;
            break;
        case type_ipv6:
            address = 16;
            break;
        case type_name:
            address = 1 + std::size_t{at(4)};
            break;
        default:
            fail("not SOCKS5: type of address " + std::to_string(at(3)));
            return;
    }
    if (size_ == 4 + address + 2) {
        state_ = Socks5State::connected;
    }
}

std::uint8_t Socks5Client::at(std::size_t index) const {
    return static_cast<std::uint8_t>(message_[index]);
}

void Socks5Client::go_on(Step step, std::string_view output) {
    step_ = step;
    output_ = output;
    size_ = 0;
}

void Socks5Client::fail(std::string text) {
    state_ = Socks5State::failed;
    error_text_ = std::move(text);
    output_ = {};
}

}  // namespace sonde::probes::wire
