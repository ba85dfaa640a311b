// The MetricStore's directory of pages. Private to the store and its Cursor.
#pragma once

#include "exporter/metrics/page.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace sonde::exporter {

/// Pages never move and are never freed before the store is, so workers and scrapes find them
/// without a lock.
struct MetricStore::Impl {
    static constexpr std::size_t pages_in_chunk = 1024;
    using Chunk = std::array<std::atomic<Page*>, pages_in_chunk>;

    [[nodiscard]] Page& page(std::size_t index) const {
        const Chunk& chunk = *chunks[index / pages_in_chunk].load(std::memory_order_acquire);
        return *chunk[index % pages_in_chunk].load(std::memory_order_acquire);
    }

    [[nodiscard]] Page& page_of(Id id) const { return page(id / page_targets); }

    /// Makes the next page and returns its index. Throws std::length_error at 67 million targets.
    std::size_t add_page();

    /// The settings in force. Never freed before the store is: samples point into them.
    std::atomic<const StoreSettings*> settings = nullptr;
    std::array<std::atomic<Chunk*>, 1024> chunks{};
    std::atomic<std::size_t> page_count = 0;
    std::atomic<std::size_t> targets = 0;
    std::atomic<std::uint64_t> births = 0;  // how many targets have ever been added

    std::mutex reload_mutex;  // taken before a page's; guards what follows
    std::vector<std::size_t> pages_with_room;
    std::vector<std::unique_ptr<const StoreSettings>> owned_settings;
    std::vector<std::unique_ptr<Chunk>> owned_chunks;
    std::vector<std::unique_ptr<Page>> owned_pages;
};

}  // namespace sonde::exporter
