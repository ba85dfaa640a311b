// Where the responses of all HTTP versions go, and how far one has come. It owns no parsing.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sonde::probes::wire {

enum class ResponseState : std::uint8_t {
    header,    // more of the header is wanted
    body,      // the header is complete, more of the body (or of the trailers) is wanted
    complete,  // the whole response was read
    stopped,   // the sink wanted no more
    failed     // error() of what parses it says why
};

/// Where a response goes. Views are valid during the call only. Interim (1xx) responses are not
/// seen.
class ResponseSink {
public:
    ResponseSink() = default;
    ResponseSink(const ResponseSink&) = delete;
    ResponseSink& operator=(const ResponseSink&) = delete;
    virtual ~ResponseSink() = default;

    /// `version` is 10, 11 or 20; HTTP/2 has no reason.
    virtual void on_status(unsigned status, unsigned version, std::string_view reason) = 0;
    /// In order of arrival, the name as it was sent, the value without surrounding blanks.
    virtual void on_field(std::string_view name, std::string_view value) = 0;
    /// After the last field and before any body.
    virtual void on_header_end() = 0;
    /// A piece of the body without its transfer coding, never empty. False: no more is wanted.
    [[nodiscard]] virtual bool on_body(std::span<const char> piece) = 0;
    virtual void on_trailer(std::string_view name, std::string_view value) = 0;
};

}  // namespace sonde::probes::wire
