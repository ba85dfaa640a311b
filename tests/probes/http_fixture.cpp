// Runs http checks for tests and builds responses.
#include "tests/probes/http_fixture.hpp"

#include "config/document.hpp"
#include "config/table.hpp"
#include "probes/kinds/http/http.hpp"
#include "probes/net/reactor.hpp"
#include "probes/net/resolver.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <zlib.h>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>

namespace sonde::tests {

namespace asio = boost::asio;
using namespace probes;

namespace {

std::shared_ptr<const Probe> make_probe(const std::string& settings) {
    config::Diagnostics diagnostics;
    config::Inputs inputs;
    const auto document = config::Document::parse(settings, {"test.toml", "/"}, diagnostics);
    config::Context context{.diagnostics = &diagnostics, .inputs = &inputs};
    std::shared_ptr<const Probe> probe;
    if (document) {
        config::Table table(context, {document->root()});
        probe = http::make(table);
        table.report_unknown();
    }
    if (!diagnostics.ok() || !probe) {
        throw std::runtime_error("bad settings: " + diagnostics.text());
    }
    return probe;
}

Target make_target(const std::string& url) {
    std::string error;
    const std::optional<Url> parsed = Url::parse(url, error);
    if (!parsed) {
        throw std::runtime_error("bad url " + url + ": " + error);
    }
    return {url, *parsed};
}

}  // namespace

ProbeResult check_site(const std::string& url, const CheckOptions& options) {
    const std::shared_ptr<const Probe> probe = make_probe(options.settings);
    const Target target = make_target(url);
    const net::Clock& clock = net::Clock::system();
    asio::io_context context{1};
    net::Reactor reactor{context};
    net::Resolver::Options dns;
    dns.resolv_conf = "/dev/null";
    // A name server of the machine must have no part in a test: port 9 of loopback has nobody.
    dns.servers = {options.dns_server.empty() ? "127.0.0.1:9" : options.dns_server};
    net::Resolver resolver{reactor, clock, dns};
    const Env env{context.get_executor(), clock, reactor, resolver, options.trace};
    const Deadline deadline{clock.now() + options.timeout, options.timeout};

    std::optional<ProbeResult> result;
    std::exception_ptr bug;
    asio::cancellation_signal cancel;
    net::Alarm at_deadline{reactor, [&] {
                               cancel.emit(asio::cancellation_type::terminal);
                           }};
    at_deadline.set(deadline.at);
    asio::co_spawn(
        context,
        probe->run(env, target, deadline),
        asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e, ProbeResult r) {
            bug = e;
            result = std::move(r);
            resolver.close();
            reactor.close();
        }));
    context.run();
    if (bug) {
        std::rethrow_exception(bug);
    }
    return std::move(*result);
}

bool has_ipv6() {
    static const bool found = [] {
        try {
            const ScriptedServer probe({}, IpFamily::v6);
            return true;
        } catch (const std::system_error&) {
            return false;
        }
    }();
    return found;
}

std::string phases_of(const ProbeResult& result) {
    std::string text;
    for (const MeasurementInfo& row : measurements_of(Family::http_duration)) {
        if (result.readings.get(row.measurement)) {
            text += (text.empty() ? "" : " ") + std::string(row.label_value);
        }
    }
    return text;
}

double labelled(const ProbeResult& result, Family family, std::string_view label) {
    for (const LabelledReading& reading : result.labelled) {
        if (reading.family == family && reading.labels->front() == label) {
            return reading.value;
        }
    }
    return -1;
}

std::vector<std::string> labels_of(const ProbeResult& result, Family family) {
    for (const LabelledReading& reading : result.labelled) {
        if (reading.family == family) {
            return *reading.labels;
        }
    }
    return {};
}

bool mentions(const std::string& detail, std::initializer_list<std::string_view> parts) {
    bool all = true;
    for (const std::string_view part : parts) {
        if (detail.find(part) == std::string::npos) {
            MESSAGE("\"" << std::string(part) << "\" is not in \"" << detail << "\"");
            all = false;
        }
    }
    return all;
}

std::string response(std::string_view body, std::string_view fields, std::string_view status) {
    std::string text = "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields);
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    return text += body;
}

std::string chunked_response(const std::vector<std::string>& chunks, std::string_view fields) {
    std::string text =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + std::string(fields) + "\r\n";
    for (const std::string& chunk : chunks) {
        char size[20];
        std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
        text += size + chunk + "\r\n";
    }
    return text + "0\r\n\r\n";
}

std::string redirect_to(std::string_view location, std::string_view status) {
    return response("", "Location: " + std::string(location) + "\r\n", status);
}

std::string gzip(std::string_view text) {
    z_stream stream{};
    constexpr int with_gzip_header = 15 + 16;
    deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, with_gzip_header, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

Script answer(std::string bytes) {
    return {step::read_request(), step::send(std::move(bytes))};
}

Script tls_answer(const TlsScript& tls, std::string bytes) {
    return {step::tls(tls), step::read_request(), step::send(std::move(bytes))};
}

std::string trust(const TestCa& ca, const TempDir& directory) {
    return "tls = { ca_file = \"" + ca.write(directory).string() + "\" }\n";
}

}  // namespace sonde::tests
