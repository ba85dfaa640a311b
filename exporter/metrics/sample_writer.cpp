#include "exporter/metrics/sample_writer.hpp"

#include "exporter/metrics/label_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace sonde::exporter {

namespace {

constexpr std::size_t max_number = 32;  // to_chars writes at most 24 for a double

char* append(char* at, std::string_view text) {
    return at + text.copy(at, text.size());  // memcpy would not take an empty view's null
}

// At most max_number bytes. Whole numbers without exponent and fraction, else the shortest digits
// that read back as the same double.
char* append_number(char* at, double value) {
    constexpr double exact = 9007199254740992;  // 2^53
    if (value > -exact && value < exact) {
        const auto whole = static_cast<std::int64_t>(value);
        if (static_cast<double>(whole) == value) {
            return std::to_chars(at, at + max_number, whole).ptr;
        }
    } else if (std::isnan(value)) {
        return append(at, "NaN");
    } else if (std::isinf(value)) {
        return append(at, value > 0 ? "+Inf" : "-Inf");
    }
    return std::to_chars(at, at + max_number, value).ptr;
}

void append_number(std::string& out, double value) {
    std::array<char, max_number> buffer{};
    char* const end = append_number(buffer.data(), value);
    out.append(buffer.data(), end);
}

std::string_view type_name(prometheus::MetricType type, ExpositionFormat format) {
    switch (type) {
        case prometheus::MetricType::Counter:
            return "counter";
        case prometheus::MetricType::Gauge:
            return "gauge";
        case prometheus::MetricType::Summary:
            return "summary";
        case prometheus::MetricType::Histogram:
            return "histogram";
        case prometheus::MetricType::Untyped:
            break;
    }
    return format == ExpositionFormat::openmetrics ? "unknown" : "untyped";
}

constexpr std::string_view total = "_total";

// OpenMetrics names a counter's family without the _total that its sample must have.
std::string_view family_name(std::string_view name,
                             prometheus::MetricType type,
                             ExpositionFormat format) {
    if (format == ExpositionFormat::openmetrics && type == prometheus::MetricType::Counter &&
        name.ends_with(total)) {
        name.remove_suffix(total.size());
    }
    return name;
}

// The unit that a family's name ends in; only with one may OpenMetrics have a UNIT line.
std::string_view unit_of(std::string_view name) {
    for (const std::string_view unit : {"seconds", "bytes", "ratio"}) {
        if (name.size() > unit.size() && name.ends_with(unit) &&
            name[name.size() - unit.size() - 1] == '_') {
            return unit;
        }
    }
    return {};
}

// Text 0.0.4 escapes backslash and newline in HELP, OpenMetrics also the quote.
void append_help(std::string& out, ExpositionFormat format, std::string_view help) {
    for (const char c : help) {
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\\' || (c == '"' && format == ExpositionFormat::openmetrics)) {
            out += '\\';
            out += c;
        } else {
            out += c;
        }
    }
}

void append_line(std::string& out, std::string_view keyword, std::string_view name) {
    out += "# ";
    out += keyword;
    out += ' ';
    out += name;
    out += ' ';
}

// One metric of prometheus-cpp, line by line.
class MetricWriter {
public:
    MetricWriter(std::string& out,
                 ExpositionFormat format,
                 std::string_view name,
                 const prometheus::ClientMetric& metric)
        : out_(out),
          format_(format),
          name_(name),
          timestamp_ms_(metric.timestamp_ms) {
        for (const auto& label : metric.label) {
            append_label(labels_, label.name, label.value);
        }
    }

    void write(std::string_view suffix, double value, std::string_view more = {}) {
        out_ += name_;
        out_ += suffix;
        std::string labels = labels_;
        labels += more;
        if (!labels.empty()) {
            labels.front() = '{';
            out_ += labels;
            out_ += '}';
        }
        out_ += ' ';
        append_number(out_, value);
        if (timestamp_ms_ != 0) {
            const double unit = format_ == ExpositionFormat::openmetrics ? 1000 : 1;
            out_ += ' ';
            append_number(out_, static_cast<double>(timestamp_ms_) / unit);
        }
        out_ += '\n';
    }

    void write_labelled(std::string_view suffix,
                        double value,
                        std::string_view label,
                        double label_value) {
        std::string more;
        append_label(more, label, canonical_number(label_value));
        write(suffix, value, more);
    }

private:
    std::string& out_;
    ExpositionFormat format_;
    std::string_view name_;
    std::int64_t timestamp_ms_;
    std::string labels_;  // with a comma before the first
};

void write_histogram(MetricWriter& writer, const prometheus::ClientMetric::Histogram& histogram) {
    bool has_infinity = false;
    for (const auto& bucket : histogram.bucket) {
        writer.write_labelled(
            "_bucket", static_cast<double>(bucket.cumulative_count), "le", bucket.upper_bound);
        has_infinity = std::isinf(bucket.upper_bound);
    }
    const auto count = static_cast<double>(histogram.sample_count);
    if (!has_infinity) {
        writer.write("_bucket", count, ",le=\"+Inf\"");
    }
    writer.write("_sum", histogram.sample_sum);
    writer.write("_count", count);
}

void write_summary(MetricWriter& writer, const prometheus::ClientMetric::Summary& summary) {
    for (const auto& quantile : summary.quantile) {
        writer.write_labelled("", quantile.value, "quantile", quantile.quantile);
    }
    writer.write("_sum", summary.sample_sum);
    writer.write("_count", static_cast<double>(summary.sample_count));
}

}  // namespace

void write_header(std::string& out, ExpositionFormat format, const FamilyHeader& header) {
    const std::string_view name = family_name(header.name, header.type, format);
    append_line(out, "HELP", name);
    append_help(out, format, header.help);
    out += '\n';
    append_line(out, "TYPE", name);
    out += type_name(header.type, format);
    out += '\n';
    const std::string_view unit = unit_of(name);
    if (format == ExpositionFormat::openmetrics && !unit.empty()) {
        append_line(out, "UNIT", name);
        out += unit;
        out += '\n';
    }
}

void write_samples(std::string& out, std::span<const MetricStore::Cursor::Sample> samples) {
    constexpr std::size_t punctuation = 4;  // `{`, `}`, space and newline
    std::size_t room = 0;
    for (const auto& sample : samples) {
        room += sample.name.size() + sample.labels.size() + sample.more.size() + punctuation +
                max_number;
    }
    const std::size_t begin = out.size();
    out.resize(begin + room);
    char* at = out.data() + begin;
    for (const auto& sample : samples) {
        at = append(at, sample.name);
        *at++ = '{';
        at = append(at, sample.labels);
        at = append(at, sample.more);
        *at++ = '}';
        *at++ = ' ';
        at = append_number(at, sample.value);
        *at++ = '\n';
    }
    out.resize(static_cast<std::size_t>(at - out.data()));
}

void write_family(std::string& out,
                  ExpositionFormat format,
                  const prometheus::MetricFamily& family) {
    if (family.metric.empty()) {
        return;
    }
    write_header(out, format, {family.name, family.type, family.help});
    const std::string_view name = family_name(family.name, family.type, format);
    for (const prometheus::ClientMetric& metric : family.metric) {
        MetricWriter writer(out, format, name, metric);
        switch (family.type) {
            case prometheus::MetricType::Counter:
                writer.write(format == ExpositionFormat::openmetrics ? total : "",
                             metric.counter.value);
                break;
            case prometheus::MetricType::Gauge:
                writer.write("", metric.gauge.value);
                break;
            case prometheus::MetricType::Untyped:
                writer.write("", metric.untyped.value);
                break;
            case prometheus::MetricType::Histogram:
                write_histogram(writer, metric.histogram);
                break;
            case prometheus::MetricType::Summary:
                write_summary(writer, metric.summary);
                break;
        }
    }
}

}  // namespace sonde::exporter
