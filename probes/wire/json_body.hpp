// A response body read as JSON while it arrives, in memory that goes back at once.
// It knows no expressions: what is asked of the value is elsewhere (cel.hpp).
#pragma once

#include <boost/json/fwd.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace sonde::probes::wire {

/// One JSON text (RFC 8259, UTF-8, nothing behind it but blanks). Of a key that comes twice the
/// last value counts; numbers over 64 bits become doubles. Reusable: start() keeps the memory
/// (some 20 KiB; what a large body took goes back), and a small body then allocates nothing. The
/// parsed value takes up to some 20 times the body's size. Not thread safe.
class JsonBody {
public:
    static constexpr std::size_t max_depth = 128;

    JsonBody();
    JsonBody(JsonBody&&) noexcept;
    JsonBody& operator=(JsonBody&&) noexcept;
    ~JsonBody();

    /// Begins a body; the value before it is gone.
    void start(std::size_t max_bytes);

    /// The next bytes, in any split. Does nothing once the body is known to be bad.
    void feed(std::span<const char> data);

    /// The end of the body. False: error() says what is wrong.
    bool finish();

    /// Whether the body had more than max_bytes.
    [[nodiscard]] bool too_large() const;

    /// One line: "not JSON: syntax error at byte 7" (counted from 0); empty without an error.
    [[nodiscard]] const std::string& error() const;

    /// Once finish() was true, until the next start().
    [[nodiscard]] const boost::json::value& value() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace sonde::probes::wire
