// The client's half of SOCKS 5 (RFC 1928, user names of RFC 1929), bytes in, bytes out: CONNECT
// only. It owns no socket and resolves no name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace sonde::probes::wire {

enum class Socks5State : std::uint8_t {
    more,       // send output(), if there is any, then feed what comes
    connected,  // the next byte is the target's
    failed      // error_text() says why
};

/// A name, which the proxy resolves, or the bytes of an IPv4 or IPv6 address in network order.
using Socks5Host =
    std::variant<std::string, std::array<std::uint8_t, 4>, std::array<std::uint8_t, 16>>;

struct Socks5Credentials {
    std::string_view user;
    std::string_view password;
};

/// What is wrong with one of these, "the user name is longer than 255 bytes"; empty when it can be
/// sent. For where a config is read: the client refuses the same.
[[nodiscard]] std::string check_socks5_user(std::string_view user);
[[nodiscard]] std::string check_socks5_password(std::string_view password);
[[nodiscard]] std::string check_socks5_host(std::string_view name);

/// One CONNECT. Not thread safe; allocates in the constructor and for an error only.
class Socks5Client {
public:
    /// With credentials the proxy may still choose to want none.
    Socks5Client(const Socks5Host& host,
                 std::uint16_t port,
                 std::optional<Socks5Credentials> credentials);
    Socks5Client(const Socks5Client&) = delete;
    Socks5Client& operator=(const Socks5Client&) = delete;

    /// What to send now, all of it, before the next feed(), which ends the view. Empty: nothing.
    [[nodiscard]] std::string_view output() const { return output_; }

    struct Fed {
        std::size_t consumed;
        Socks5State state;
    };

    /// Takes bytes as they arrive, in any split, and none beyond the reply to CONNECT: in
    /// `connected` the rest (data[consumed..]) is the target's. In `more` all were consumed, in
    /// `failed` the count means nothing. Calls after the end change nothing.
    Fed feed(std::span<const char> data);

    /// The proxy closed: `failed` unless it had connected.
    Socks5State finish();

    [[nodiscard]] Socks5State state() const { return state_; }

    /// One line without a final stop: "not SOCKS5: ...", "host unreachable (4)". Never a secret.
    [[nodiscard]] const std::string& error_text() const { return error_text_; }

private:
    enum class Step : std::uint8_t { method, login, reply };

    void take_message();
    void take_method();
    void take_login();
    void take_reply();
    [[nodiscard]] std::uint8_t at(std::size_t index) const;
    void go_on(Step step, std::string_view output);
    void fail(std::string text);

    std::string greeting_;
    std::string login_;  // empty: no credentials
    std::string connect_;
    std::string_view output_;
    // The longest message: four bytes, a name of 255 with its length, the port.
    std::array<char, 4 + 256 + 2> message_{};
    std::size_t size_ = 0;
    Step step_ = Step::method;
    Socks5State state_ = Socks5State::more;
    std::string error_text_;
};

}  // namespace sonde::probes::wire
