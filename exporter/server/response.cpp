// Answers as text: the status line, the header, and short plain-text bodies.
#include "exporter/server/connection.hpp"

#include <boost/beast/http/status.hpp>
#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <ctime>
#include <stdexcept>

namespace sonde::exporter {

namespace http = boost::beast::http;

namespace {

std::string_view reason(unsigned status) {
    const auto phrase = http::obsolete_reason(http::int_to_status(status));
    return {phrase.data(), phrase.size()};
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    static constexpr std::string_view breaks("\r\n\0", 3);
    if (name.find_first_of(breaks) != std::string_view::npos ||
        value.find_first_of(breaks) != std::string_view::npos) {
        throw std::invalid_argument(fmt::format("line break in the header field {}", name));
    }
    fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
}

}  // namespace

std::string response_header(const HttpResponse& response, ResponseFraming framing) {
    auto out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
    const auto now = fmt::gmtime(std::time(nullptr));
    append_field(out, "Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", now));
    if (!response.content_type.empty()) {
        append_field(out, "Content-Type", response.content_type);
    }
    for (const auto& [name, value] : response.headers) {
        append_field(out, name, value);
    }
    const bool may_have_body = response.status != 204 && response.status != 304;
    if (framing.length && may_have_body) {
        append_field(out, "Content-Length", std::to_string(*framing.length));
    } else if (!framing.length && framing.version >= 11) {
        append_field(out, "Transfer-Encoding", "chunked");
    }
    if (framing.version >= 11 && !framing.keep_alive) {
        append_field(out, "Connection", "close");
    } else if (framing.version < 11 && framing.keep_alive) {
        append_field(out, "Connection", "keep-alive");
    }
    out += "\r\n";
    return out;
}

HttpResponse plain_answer(unsigned status, std::string_view why) {
    HttpResponse response;
    response.status = status;
    response.body =
        fmt::format("{} {}{}{}\n", status, reason(status), why.empty() ? "" : ": ", why);
    return response;
}

}  // namespace sonde::exporter
