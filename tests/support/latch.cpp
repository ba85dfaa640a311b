// The latch is an eventfd, so that a thread can wait for it and for a socket in one poll(2).
#include "tests/support/latch.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace sonde::tests {

Latch::Latch() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ < 0) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
}

Latch::~Latch() {
    ::close(descriptor_);
}

void Latch::open() {
    open_.store(true, std::memory_order_release);
    const std::uint64_t one = 1;
    // EAGAIN would mean that the counter is full, that is, open.
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

bool Latch::wait(std::chrono::milliseconds limit) const {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!is_open()) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            return false;
        }
        pollfd descriptor{descriptor_, POLLIN, 0};
        ::poll(&descriptor, 1, static_cast<int>(left.count()));
    }
    return true;
}

}  // namespace sonde::tests
