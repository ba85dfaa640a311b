// A place for one suspended completion handler, without a heap allocation for each wait.
#pragma once

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace sonde::probes::net {

/// Holds at most one handler of signature void(error_code). Boost 1.81 has no
/// any_completion_handler.
class Waiter {
public:
    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    ~Waiter() { reset(); }

    [[nodiscard]] bool armed() const { return invoke_ != nullptr; }

    template <typename Handler>
    void emplace(Handler handler) {
        static_assert(
            sizeof(Handler) <= sizeof storage_ && alignof(Handler) <= alignof(std::max_align_t),
            "make storage_ larger");
        static_assert(std::is_nothrow_move_constructible_v<Handler>);
        reset();
        ::new (static_cast<void*>(storage_)) Handler(std::move(handler));
        invoke_ = [](std::byte* storage, const boost::system::error_code* error) {
            auto* held = std::launder(reinterpret_cast<Handler*>(storage));
            if (error == nullptr) {
                held->~Handler();
                return;
            }
            Handler local(std::move(*held));
            held->~Handler();
            std::move(local)(*error);
        };
    }

    /// Calls the handler; the waiter is empty (and may be armed again, or destroyed) before it
    /// runs.
    void complete(boost::system::error_code error) {
        auto invoke = std::exchange(invoke_, nullptr);
        invoke(storage_, &error);
    }

    /// Destroys the handler without calling it.
    void reset() {
        if (auto invoke = std::exchange(invoke_, nullptr)) {
            invoke(storage_, nullptr);
        }
    }

private:
    alignas(std::max_align_t) std::byte storage_[96];
    void (*invoke_)(std::byte*, const boost::system::error_code*) = nullptr;
};

}  // namespace sonde::probes::net
