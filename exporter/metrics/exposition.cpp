#include "exporter/metrics/exposition.hpp"

#include "exporter/metrics/cursor.hpp"
#include "exporter/metrics/sample_writer.hpp"
#include "exporter/number_text.hpp"
#include "probes/trim.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace sonde::exporter {

namespace {

constexpr std::size_t piece_size = std::size_t{64} * 1024;

// Takes the part before `separator` off the front of `text`.
std::string_view take(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = probes::trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

// A qvalue in thousandths; what is no qvalue counts as not acceptable.
int parse_quality(std::string_view text) {
    const auto quality = number_in<double>(text);
    const bool ok = quality && *quality >= 0 && *quality <= 1;
    return ok ? static_cast<int>(std::lround(*quality * 1000)) : 0;
}

struct MediaRange {
    std::string_view type;
    std::string_view version;  // empty: any
    int quality = 1000;
};

MediaRange parse_media_range(std::string_view text) {
    MediaRange range;
    range.type = take(text, ';');
    while (!text.empty()) {
        std::string_view value = take(text, ';');
        const std::string_view name = take(value, '=');
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        if (boost::algorithm::iequals(name, "version")) {
            range.version = value;
        } else if (boost::algorithm::iequals(name, "q")) {
            range.quality = parse_quality(value);
        }
    }
    return range;
}

struct Offer {
    std::string_view type;
    std::string_view version;
};

constexpr Offer text_offer = {"text/plain", "0.0.4"};
constexpr Offer openmetrics_offer = {"application/openmetrics-text", "1.0.0"};

// How closely a range names an offer; 0: not at all.
int specificity(const MediaRange& range, const Offer& offer) {
    if (boost::algorithm::iequals(range.type, offer.type)) {
        return range.version.empty() ? 3 : range.version == offer.version ? 4 : 0;
    }
    const std::string_view all_of_type = offer.type.substr(0, offer.type.find('/') + 1);
    if (range.type.ends_with('*') &&
        boost::algorithm::iequals(range.type.substr(0, range.type.size() - 1), all_of_type)) {
        return 2;
    }
    return range.type == "*/*" ? 1 : 0;
}

// What the most specific range that matches an offer says about it.
struct Preference {
    int specificity = 0;
    int quality = 0;

    void consider(const MediaRange& range, const Offer& offer) {
        const int closer = exporter::specificity(range, offer);
        if (closer > specificity) {
            specificity = closer;
            quality = range.quality;
        }
    }
};

class Exposition final : public BodySource {
public:
    Exposition(ExpositionFormat format,
               const MetricStore& store,
               std::vector<std::shared_ptr<prometheus::Collectable>> self,
               MetricStore::Selection selection)
        : format_(format),
          self_(std::move(self)),
          selection_(std::move(selection)),
          cursor_(std::in_place, store, selection_) {}

    bool next(std::string& out) override {
        const std::size_t full = out.size() + piece_size;
        while (cursor_ && out.size() < full) {
            write_targets(out);
        }
        if (cursor_) {
            return true;
        }
        write_self(out);
        return false;
    }

private:
    void write_targets(std::string& out) {
        if (!cursor_->next()) {
            cursor_.reset();
            return;
        }
        const probes::FamilyInfo& family = cursor_->family();
        if (current_ != &family) {
            current_ = &family;
            write_header(out, format_, {family.name, prometheus_type(family.type), family.help});
        }
        write_samples(out, cursor_->samples());
    }

    // The program's own metrics do not grow with the targets: all in the last piece.
    void write_self(std::string& out) {
        const auto& wanted = selection_.families;
        if (!selection_.targets.wants_the_program()) {
            self_.clear();
        }
        for (const auto& collectable : self_) {
            for (const prometheus::MetricFamily& family : collectable->Collect()) {
                if (wanted.empty() || std::ranges::find(wanted, family.name) != wanted.end()) {
                    write_family(out, format_, family);
                }
            }
        }
        self_.clear();
        if (format_ == ExpositionFormat::openmetrics && !ended_) {
            out += "# EOF\n";
        }
        ended_ = true;
    }

    ExpositionFormat format_;
    std::vector<std::shared_ptr<prometheus::Collectable>> self_;
    MetricStore::Selection selection_;
    std::optional<MetricStore::Cursor> cursor_;  // until its end
    const probes::FamilyInfo* current_ = nullptr;
    bool ended_ = false;
};

}  // namespace

ExpositionFormat negotiate_exposition(std::string_view accept) {
    Preference text;
    Preference openmetrics;
    while (!accept.empty()) {
        const MediaRange range = parse_media_range(take(accept, ','));
        text.consider(range, text_offer);
        openmetrics.consider(range, openmetrics_offer);
    }
    if (openmetrics.quality == text.quality) {
        const bool named = openmetrics.quality > 0 && openmetrics.specificity > text.specificity;
        return named ? ExpositionFormat::openmetrics : ExpositionFormat::text;
    }
    return openmetrics.quality > text.quality ? ExpositionFormat::openmetrics
                                              : ExpositionFormat::text;
}

std::string_view content_type(ExpositionFormat format) {
    return format == ExpositionFormat::openmetrics
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

std::unique_ptr<BodySource> make_exposition(
    ExpositionFormat format,
    const MetricStore& store,
    std::vector<std::shared_ptr<prometheus::Collectable>> self,
    MetricStore::Selection selection) {
    return std::make_unique<Exposition>(format, store, std::move(self), std::move(selection));
}

}  // namespace sonde::exporter
