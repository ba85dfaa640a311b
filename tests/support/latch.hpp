// A gate between a test and its servers' threads: shut at first, opened once.
#pragma once

#include <atomic>
#include <chrono>

namespace sonde::tests {

/// All members may be called from any thread; what happened before open() is visible after a wait.
class Latch {
public:
    Latch();
    ~Latch();
    Latch(const Latch&) = delete;
    Latch& operator=(const Latch&) = delete;

    void open();

    [[nodiscard]] bool is_open() const { return open_.load(std::memory_order_acquire); }

    /// False: it did not open in time.
    [[nodiscard]] bool wait(std::chrono::milliseconds limit = std::chrono::seconds(20)) const;

    /// Readable in poll(2) from open() on; not to be read from.
    [[nodiscard]] int descriptor() const { return descriptor_; }

private:
    int descriptor_;
    std::atomic<bool> open_{false};
};

}  // namespace sonde::tests
