// Equal values made once for all who use them. Owns none: a value lives as long as a user does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace sonde::probes {

/// Shares equal immutable values among those who use them, and forgets them afterwards. Any thread.
template <class Value>
class SharedValues {
public:
    std::shared_ptr<const Value> find(const std::string& key) {
        const std::scoped_lock lock{mutex_};
        const auto found = entries_.find(key);
        return found == entries_.end() ? nullptr : found->second.lock();
    }

    /// Returns the value that won, if another thread made an equal one meanwhile.
    std::shared_ptr<const Value> put(std::string key, std::shared_ptr<const Value> value) {
        const std::scoped_lock lock{mutex_};
        if (entries_.size() >= sweep_at_) {
            std::erase_if(entries_, [](const auto& entry) { return entry.second.expired(); });
            sweep_at_ = std::max<std::size_t>(64, 2 * entries_.size());
        }
        auto& entry = entries_[std::move(key)];
        if (auto earlier = entry.lock()) {
            return earlier;
        }
        entry = value;
        return value;
    }

private:
    std::mutex mutex_;
    std::unordered_map<std::string, std::weak_ptr<const Value>> entries_;
    std::size_t sweep_at_ = 64;
};

}  // namespace sonde::probes
