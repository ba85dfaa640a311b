// sonde_reference config|metrics: prints docs/config.md or docs/metrics.md.
#include "exporter/reference.hpp"

#include <iostream>
#include <string_view>

int main(int argc, char** argv) {
    const std::string_view what = argc == 2 ? argv[1] : "";
    if (what == "config") {
        std::cout << sonde::exporter::config_reference(sonde::probes::kinds());
    } else if (what == "metrics") {
        std::cout << sonde::exporter::metrics_reference(sonde::probes::families(),
                                                        sonde::exporter::self_metric_docs());
    } else {
        std::cerr << "usage: sonde_reference config|metrics\n";
        return 2;
    }
    return std::cout.flush() ? 0 : 1;
}
