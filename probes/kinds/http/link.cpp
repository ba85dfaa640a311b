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
    std::array<char, 1024> bytes{};
    for (;;) {
        const net::IoResult io = connection.read(bytes);
        if (io.wait) {
            break;
        }
        if (io.error || !http2) {
            return false;
        }
        http2->feed(std::span{bytes}.first(io.bytes));
    }
    return !http2 || (!flush().error && http2->reusable());
}

}  // namespace sonde::probes::http
