#include "exporter/metrics/page.hpp"

#include "exporter/metrics/label_text.hpp"

#include <algorithm>

namespace sonde::exporter {

namespace {

double to_seconds(probes::Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::string_view TextColumn::get(std::size_t slot) const {
    const std::size_t begin = slot == 0 ? 0 : ends_[slot - 1];
    return std::string_view{text_}.substr(begin, ends_[slot] - begin);
}

void TextColumn::set(std::size_t slot, std::string_view text) {
    const std::string_view old = get(slot);
    const auto begin = static_cast<std::size_t>(old.data() - text_.data());
    const std::size_t old_size = old.size();
    text_.replace(begin, old_size, text);
    for (std::size_t i = slot; i < page_targets; ++i) {
        ends_[i] = static_cast<std::uint32_t>(ends_[i] - old_size + text.size());
    }
}

Page::Page(const StoreSettings& first)
    : settings(&first),
      buckets(page_targets * first.buckets()) {}

void Page::reconfigure(const StoreSettings& wanted) {
    if (wanted.bounds != settings->bounds) {
        buckets = std::vector<std::uint32_t>(page_targets * wanted.buckets());
        rtt_sum = {};
    }
    for (std::size_t i = 0; i < count_of<probes::Family>; ++i) {
        if (settings->exposed[i] && !wanted.exposed[i]) {
            forget_family(static_cast<probes::Family>(i));
        }
    }
    settings = &wanted;
}

void Page::forget_family(probes::Family family) {
    for (const probes::MeasurementInfo& measurement : probes::measurements_of(family)) {
        present[index_of(measurement.measurement)] = 0;
        values[index_of(measurement.measurement)] = {};
    }
    has_labelled[index_of(family)] = 0;
    for (auto& readings : labelled) {
        std::erase_if(readings, [family](const probes::LabelledReading& reading) {
            return reading.family == family;
        });
    }
    if (family == probes::Family::http_responses_total) {
        responses.clear();
    }
    if (family == probes::Family::http_dead_connections_total) {
        dead_connections = {};
    }
}

void Page::add(std::size_t slot, const Job& job, std::uint64_t birth) {
    set_texts(slot, job);
    births[slot] = birth;
    youngest = std::max(youngest, birth);
    alive |= slot_bit(slot);
    if (alive == std::numeric_limits<SlotMask>::max()) {
        labels.trim();
        info.trim();
    }
}

void Page::update(std::size_t slot, const Job& job) {
    if (kind[slot] != job.kind) {
        forget(slot);
    }
    set_texts(slot, job);
}

void Page::remove(std::size_t slot) {
    alive &= ~slot_bit(slot);
    forget(slot);
}

void Page::set_texts(std::size_t slot, const Job& job) {
    labels.set(slot, render_target_labels(job));
    info.set(slot, render_info_labels(job));
    kind[slot] = job.kind;
    interval[slot] = to_seconds(job.interval);
    confirmation[slot] = job.confirmation;
}

void Page::forget(std::size_t slot) {
    for (SlotMask* mask : {&checked, &succeeded, &up, &ever_succeeded, &last_has_rtt}) {
        assign_bit(*mask, slot, false);
    }
    for (SlotMask& mask : present) {
        assign_bit(mask, slot, false);
    }
    for (SlotMask& mask : has_labelled) {
        assign_bit(mask, slot, false);
    }
    for (auto& column : failures_by_reason) {
        column.clear(slot);
    }
    for (auto& column : skips) {
        column.clear(slot);
    }
    for (CodeColumn& column : responses) {
        column.responses.clear(slot);
    }
    dead_connections.clear(slot);
    bodies.clear(slot);
    successes[slot] = 0;
    failures[slot] = 0;
    const std::size_t row = buckets.size() / page_targets;
    std::fill_n(buckets.begin() + static_cast<std::ptrdiff_t>(slot * row), row, 0U);
    rtt_sum[slot] = 0;
    failure[slot] = probes::Failure::none;
    against[slot] = 0;
    labelled[slot] = {};
    detail[slot].reset();
    labels.set(slot, {});
    info.set(slot, {});
}

void Page::record(std::size_t slot, double started, const probes::ProbeResult& result) {
    const bool success = result.success();
    if (success) {
        ++successes[slot];
        last_success[slot] = started;
        ever_succeeded |= slot_bit(slot);
        detail[slot].reset();
    } else {
        ++failures[slot];
        ++failures_by_reason.at(index_of(result.failure))[slot];
        if (!detail[slot]) {
            detail[slot] = std::make_unique<std::string>();
        }
        *detail[slot] = result.detail;
    }
    confirm(slot, success);
    checked |= slot_bit(slot);
    assign_bit(succeeded, slot, success);
    failure[slot] = result.failure;
    duration[slot] = to_seconds(result.duration);
    last_check[slot] = started;

    assign_bit(last_has_rtt, slot, result.rtt.has_value());
    if (result.rtt) {
        const double rtt = to_seconds(*result.rtt);
        const auto bucket =
            std::ranges::lower_bound(settings->bounds, rtt) - settings->bounds.begin();
        ++buckets[slot * settings->buckets() + static_cast<std::size_t>(bucket)];
        rtt_sum[slot] += rtt;
        last_rtt[slot] = rtt;
    }
    if (result.dead_connections != 0) {
        dead_connections[slot] += result.dead_connections;
    }
    record_readings(slot, result);
    if (result.body_digest) {
        record_body(slot, *result.body_digest);
    }
    record_labelled(slot, result.labelled);
}

void Page::confirm(std::size_t slot, bool success) {
    const bool was_up = (up & slot_bit(slot)) != 0;
    if ((checked & slot_bit(slot)) == 0) {
        assign_bit(up, slot, success);
        return;
    }
    if (success == was_up) {
        against[slot] = 0;
        return;
    }
    const std::uint8_t enough =
        success ? confirmation[slot].successes_to_up : confirmation[slot].failures_to_down;
    if (++against[slot] >= enough) {
        assign_bit(up, slot, success);
        against[slot] = 0;
    }
}

void Page::record_readings(std::size_t slot, const probes::ProbeResult& result) {
    const std::uint64_t measured = result.readings.present().to_ullong() & settings->kept;
    for (std::size_t i = 0; i < present.size(); ++i) {
        const bool has = (measured >> i & 1U) != 0;
        assign_bit(present[i], slot, has);
        if (has) {
            values[i][slot] = *result.readings.get(static_cast<probes::Measurement>(i));
        }
    }
    if (settings->shows(probes::Family::http_responses_total)) {
        if (const auto code = result.readings.get(probes::Measurement::http_status_code)) {
            count_response(slot, *code);
        }
    }
}

void Page::record_body(std::size_t slot, const probes::Digest& digest) {
    constexpr std::size_t changed = index_of(probes::Measurement::http_body_changed);
    std::unique_ptr<probes::Digest>& before = bodies[slot];
    if (before && (settings->kept >> changed & 1U) != 0) {
        values[changed][slot] = *before != digest ? 1 : 0;
        present[changed] |= slot_bit(slot);
    }
    if (!before) {
        before = std::make_unique<probes::Digest>();
    }
    *before = digest;
}

void Page::record_labelled(std::size_t slot, std::span<const probes::LabelledReading> readings) {
    auto& kept = labelled[slot];
    for (const probes::LabelledReading& old : kept) {
        assign_bit(has_labelled[index_of(old.family)], slot, false);
    }
    // Overwritten in place: the same readings again allocate nothing.
    kept.reserve(readings.size());
    std::size_t size = 0;
    for (const probes::LabelledReading& reading : readings) {
        if (!settings->shows(reading.family)) {
            continue;
        }
        if (size < kept.size()) {
            kept[size] = reading;
        } else {
            kept.push_back(reading);
        }
        ++size;
        assign_bit(has_labelled[index_of(reading.family)], slot, true);
    }
    kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(size), kept.end());
}

void Page::count_response(std::size_t slot, double status_code) {
    if (!(status_code >= 0 && status_code <= 999)) {
        return;  // RFC 9110 section 15: three digits
    }
    const auto code = static_cast<std::uint16_t>(status_code);
    auto at = std::ranges::lower_bound(responses, code, std::ranges::less{}, &CodeColumn::code);
    if (at == responses.end() || at->code != code) {
        at = responses.insert(at, CodeColumn{code, {}});
    }
    ++at->responses[slot];
}

MetricStore::State Page::state(std::size_t slot) const {
    MetricStore::State state;
    Labels own = parse_labels(labels.get(slot));
    state.name = std::move(own.front().second);
    own.erase(own.begin());
    state.labels = std::move(own);
    Labels more = parse_labels(info.get(slot));
    state.url = std::move(more[0].second);
    state.module = std::move(more[2].second);
    state.kind = kind[slot];
    state.interval_seconds = interval[slot];
    state.successes = successes[slot];
    state.failures = failures[slot];
    if ((checked & slot_bit(slot)) == 0) {
        return state;
    }
    state.success = (succeeded & slot_bit(slot)) != 0;
    state.failure = failure[slot];
    state.duration_seconds = duration[slot];
    state.last_check_unix = last_check[slot];
    if (detail[slot]) {
        state.detail = *detail[slot];
    }
    const std::size_t code = index_of(probes::Measurement::http_status_code);
    if ((present[code] & slot_bit(slot)) != 0) {
        state.status_code = (*values[code].get())[slot];
    }
    if ((last_has_rtt & slot_bit(slot)) != 0) {
        state.rtt_seconds = last_rtt[slot];
    }
    return state;
}

}  // namespace sonde::exporter
