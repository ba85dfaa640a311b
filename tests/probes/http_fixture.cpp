// Runs http checks for tests and builds responses.
#include "tests/probes/http_fixture.hpp"

#include "config/document.hpp"
#include "config/table.hpp"
#include "probes/kinds/http/http.hpp"
#include "probes/net/connection_pool.hpp"
#include "probes/net/reactor.hpp"
#include "probes/net/resolver.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <zlib.h>

#include <deque>
#include <exception>
#include <functional>
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

namespace {

/// Checks of one site, all on one io_context, as a worker has it.
class World {
public:
    World(const std::string& url, const CheckOptions& options)
        : options_(options),
          probe_(make_probe(options.settings)),
          target_(make_target(url)),
          resolver_(reactor_, clock_, dns(options)) {}

    std::vector<ProbeResult> run(std::size_t count,
                                 std::size_t at_once,
                                 const std::function<void()>& between) {
        results_.resize(count);
        between_ = between;
        while (started_ < at_once) {
            start();
        }
        context_.run();
        if (bug_) {
            std::rethrow_exception(bug_);
        }
        return std::move(results_);
    }

private:
    static net::Resolver::Options dns(const CheckOptions& options) {
        net::Resolver::Options dns;
        dns.resolv_conf = "/dev/null";
        // A name server of the machine must have no part in a test: port 9 of loopback has nobody.
        dns.servers = {options.dns_server.empty() ? "127.0.0.1:9" : options.dns_server};
        return dns;
    }

    struct Flight {
        explicit Flight(net::Reactor& reactor)
            : at_deadline(reactor, [this] { cancel.emit(asio::cancellation_type::terminal); }) {}

        asio::cancellation_signal cancel;
        net::Alarm at_deadline;
    };

    void start() {
        const std::size_t index = started_++;
        Flight& flight = flights_.emplace_back(reactor_);
        const auto timeout = options_.timeout - index * options_.shorter_each;
        const Deadline deadline{clock_.now() + timeout, timeout};
        flight.at_deadline.set(deadline.at);
        asio::co_spawn(
            context_,
            probe_->run(env_, target_, deadline),
            asio::bind_cancellation_slot(flight.cancel.slot(),
                                         [this, index](std::exception_ptr e, ProbeResult result) {
                                             on_done(index, e, std::move(result));
                                         }));
    }

    void on_done(std::size_t index, std::exception_ptr error, ProbeResult result) {
        flights_[index].at_deadline.clear();
        bug_ = bug_ ? bug_ : error;
        results_[index] = std::move(result);
        ++ended_;
        if (ended_ == results_.size()) {
            close();
        } else if (started_ < results_.size()) {
            if (between_) {
                between_();
            }
            start();
        }
    }

    void close() {
        connections_.close();
        resolver_.close();
        reactor_.close();
    }

    const CheckOptions& options_;
    std::shared_ptr<const Probe> probe_;
    Target target_;
    const net::Clock& clock_ = net::Clock::system();
    asio::io_context context_{1};
    net::Reactor reactor_{context_};
    net::Resolver resolver_;
    net::ConnectionPool connections_{reactor_, clock_};
    const Env env_{
        context_.get_executor(), clock_, reactor_, resolver_, connections_, options_.trace};
    std::deque<Flight> flights_;
    std::function<void()> between_;
    std::vector<ProbeResult> results_;
    std::size_t started_ = 0;
    std::size_t ended_ = 0;
    std::exception_ptr bug_;
};

}  // namespace

ProbeResult check_site(const std::string& url, const CheckOptions& options) {
    return std::move(World{url, options}.run(1, 1, {}).front());
}

std::vector<ProbeResult> check_site_repeatedly(const std::string& url,
                                               std::size_t count,
                                               const CheckOptions& options,
                                               const std::function<void()>& between) {
    return World{url, options}.run(count, 1, between);
}

std::vector<ProbeResult> check_site_at_once(const std::string& url,
                                            std::size_t count,
                                            const CheckOptions& options) {
    return World{url, options}.run(count, count, {});
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
