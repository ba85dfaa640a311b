#include "probes/net/session_memory.hpp"

#include <algorithm>
#include <utility>

namespace sonde::probes::net {

namespace {

constexpr std::time_t between_sweeps = 60;

bool is_good(const SessionMemory::Entry& entry, std::time_t now) {
    const std::time_t ends = static_cast<std::time_t>(SSL_SESSION_get_time(entry.session.get())) +
                             SSL_SESSION_get_timeout(entry.session.get());
    return now < ends && now <= entry.verified_until &&
           SSL_SESSION_is_resumable(entry.session.get()) == 1;
}

}  // namespace

void SessionMemory::remember(const std::string& server, Entry entry) {
    const std::scoped_lock lock{mutex_};
    if (servers_.size() >= most_servers && !servers_.contains(server)) {
        const std::time_t now = std::time(nullptr);
        if (now < sweep_at_) {
            return;
        }
        sweep_at_ = now + between_sweeps;
        std::erase_if(servers_, [now](const auto& known) {
            return std::ranges::none_of(known.second,
                                        [now](const Entry& each) { return is_good(each, now); });
        });
        if (servers_.size() >= most_servers) {
            return;
        }
    }
    std::vector<Entry>& known = servers_[server];
    if (known.size() == most_for_one) {
        known.erase(known.begin());
    }
    known.push_back(std::move(entry));
}

SessionMemory::Entry SessionMemory::recall(const std::string& server, std::time_t now) {
    const std::scoped_lock lock{mutex_};
    const auto found = servers_.find(server);
    if (found == servers_.end()) {
        return {};
    }
    std::vector<Entry>& known = found->second;
    while (!known.empty() && !is_good(known.back(), now)) {
        known.pop_back();
    }
    Entry entry;
    if (known.empty()) {
        servers_.erase(found);
    } else if (SSL_SESSION_get_protocol_version(known.back().session.get()) >= TLS1_3_VERSION) {
        entry = std::move(known.back());
        known.pop_back();
    } else {
        SSL_SESSION_up_ref(known.back().session.get());
        entry = {Session{known.back().session.get()}, known.back().verified_until};
    }
    return entry;
}

}  // namespace sonde::probes::net
