#include "probes/net/chain_memory.hpp"

#include "probes/wire/certificate.hpp"

#include <algorithm>
#include <string>

namespace sonde::probes::net {

ChainMemory::Key ChainMemory::key(std::string_view name, const STACK_OF(X509) * sent) {
    thread_local std::string text;
    text = name;
    text += '\0';
    for (int i = 0; i < sk_X509_num(sent); ++i) {
        const Digest certificate = wire::fingerprint(*sk_X509_value(sent, i));
        text.append(certificate.begin(), certificate.end());
    }
    return sha256(text);
}

ChainMemory::Chain ChainMemory::recall(const Key& key, std::time_t now) const {
    const std::scoped_lock lock{mutex_};
    const auto found = entries_.find(key);
    if (found == entries_.end() || now < found->second.from || now >= found->second.until) {
        return nullptr;
    }
    return Chain{X509_chain_up_ref(found->second.chain.get())};
}

void ChainMemory::remember(const Key& key, const STACK_OF(X509) * verified, std::time_t now) {
    std::time_t until = now + longest;
    for (int i = 0; i < sk_X509_num(verified); ++i) {
        const std::optional<std::int64_t> expiry = wire::not_after(*sk_X509_value(verified, i));
        if (!expiry) {
            return;
        }
        until = std::min<std::time_t>(until, *expiry + 1);  // NotAfter itself is still good
    }
    Entry entry{Chain{X509_chain_up_ref(const_cast<STACK_OF(X509)*>(verified))}, now, until};
    const std::scoped_lock lock{mutex_};
    if (entries_.size() >= most_entries) {
        std::erase_if(entries_, [now](const auto& item) { return item.second.until <= now; });
    }
    if (entries_.size() < most_entries) {
        entries_.insert_or_assign(key, std::move(entry));
    }
}

std::size_t ChainMemory::size() const {
    const std::scoped_lock lock{mutex_};
    return entries_.size();
}

}  // namespace sonde::probes::net
