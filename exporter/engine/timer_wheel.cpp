#include "exporter/engine/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace sonde::exporter {

namespace {

/// due_tick of a node that advance() has taken from its slot and not fired yet.
constexpr std::int64_t in_hand = -2;

}  // namespace

TimerWheel::TimerWheel(TimePoint start)
    : start_(start),
      heads_(slots, none),
      occupied_(slots / 64, 0) {}

void TimerWheel::schedule(Id id, TimePoint due) {
    if (id >= nodes_.size()) {
        nodes_.resize(std::size_t{id} + 1);
    }
    cancel(id);
    const auto ticks = std::chrono::ceil<std::chrono::milliseconds>(due - start_) / tick;
    Node& node = nodes_[id];
    node.due_tick = std::max<std::int64_t>(ticks, done_tick_ + 1);
    const std::size_t slot = slot_of(node.due_tick);
    node.previous = none;
    node.next = heads_[slot];
    if (node.next != none) {
        nodes_[node.next].previous = id;
    }
    heads_[slot] = id;
    occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
    ++size_;
}

void TimerWheel::cancel(Id id) {
    if (id >= nodes_.size() || nodes_[id].due_tick == -1) {
        return;
    }
    if (nodes_[id].due_tick == in_hand) {
        std::erase(due_, id);
        nodes_[id].due_tick = -1;
    } else {
        unlink(id);
    }
    --size_;
}

void TimerWheel::unlink(Id id) {
    Node& node = nodes_[id];
    const std::size_t slot = slot_of(node.due_tick);
    if (node.previous == none) {
        heads_[slot] = node.next;
        if (node.next == none) {
            occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
        }
    } else {
        nodes_[node.previous].next = node.next;
    }
    if (node.next != none) {
        nodes_[node.next].previous = node.previous;
    }
    node.due_tick = -1;
}

void TimerWheel::take_due(std::size_t slot, std::int64_t tick_now) {
    for (Id id = heads_[slot]; id != none;) {
        const Id following = nodes_[id].next;
        if (nodes_[id].due_tick <= tick_now) {
            unlink(id);
            nodes_[id].due_tick = in_hand;
            due_.push_back(id);
        }
        id = following;
    }
}

void TimerWheel::advance(TimePoint now, const std::function<bool(Id)>& fire) {
    const std::int64_t tick_now =
        std::chrono::floor<std::chrono::milliseconds>(now - start_) / tick;
    if (!fire_taken(fire)) {
        return;
    }
    // After a long stall one turn over all slots finds everything.
    const std::int64_t first =
        std::max(done_tick_ + 1, tick_now - static_cast<std::int64_t>(slots) + 1);
    for (std::int64_t at = first; at <= tick_now; ++at) {
        const std::size_t slot = slot_of(at);
        done_tick_ = at;
        if ((occupied_[slot / 64] >> (slot % 64) & 1) == 0) {
            continue;
        }
        take_due(slot, tick_now);
        if (!fire_taken(fire)) {
            return;
        }
    }
    done_tick_ = std::max(done_tick_, tick_now);
}

bool TimerWheel::fire_taken(const std::function<bool(Id)>& fire) {
    while (!due_.empty()) {
        const Id id = due_.back();
        due_.pop_back();
        nodes_[id].due_tick = -1;
        --size_;
        if (!fire(id)) {
            return false;
        }
    }
    return true;
}

std::optional<TimerWheel::TimePoint> TimerWheel::next() const {
    if (size_ == 0) {
        return std::nullopt;
    }
    if (!due_.empty()) {
        return start_ + tick * done_tick_;
    }
    const std::size_t from = slot_of(done_tick_ + 1);
    for (std::size_t step = 0; step <= slots / 64; ++step) {
        const std::size_t word = (from / 64 + step) % (slots / 64);
        std::uint64_t bits = occupied_[word];
        if (step == 0) {
            bits &= ~std::uint64_t{0} << (from % 64);
        }
        if (bits != 0) {
            const std::size_t slot = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
            const auto ahead = static_cast<std::int64_t>((slot - from + slots) % slots);
            return start_ + tick * (done_tick_ + 1 + ahead);
        }
    }
    return std::nullopt;
}

}  // namespace sonde::exporter
