#include "probes/kinds/http/link.hpp"

#include <array>
#include <span>

namespace sonde::probes::http {

net::IoResult Link::flush() {
    while (http2->wants_write()) {
        const net::IoResult io = connection.write(http2->output());
        if (io.wait || io.error) {
            return io;
        }
        http2->sent(io.bytes);
    }
    return {};
}

bool Link::usable() {
    // A server that says more between two requests is not one to wait for.
    constexpr int most_reads = 16;
    std::array<char, 16 * 1024> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (int i = 0; i < most_reads; ++i) {
        const net::IoResult io = connection.read(bytes);
        if (io.wait) {
            return !http2 || (!flush().error && http2->reusable());
        }
        if (io.error || !http2) {
            return false;
        }
        http2->feed(std::span{bytes}.first(io.bytes));
        if (!http2->reusable()) {
            return false;
        }
    }
    return false;
}

}  // namespace sonde::probes::http
