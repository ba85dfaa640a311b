// The kernel switches receive timestamps on a moment after the first socket of the machine asked
// for them.
#pragma once

namespace sonde::tests {

/// Returns once arrivals are being stamped, which then holds until the process ends. Throws
/// std::runtime_error when that takes longer than five seconds.
void await_kernel_timestamps();

}  // namespace sonde::tests
