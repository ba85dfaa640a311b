// A response body made piece by piece, so that a large answer needs no large memory.
#pragma once

#include <string>

namespace sonde::exporter {

class BodySource {
public:
    BodySource() = default;
    BodySource(const BodySource&) = delete;
    BodySource& operator=(const BodySource&) = delete;
    virtual ~BodySource() = default;

    /// Appends the next piece (about 64 KiB) to `out`. False: there is no more, `out` has the last.
    virtual bool next(std::string& out) = 0;
};

}  // namespace sonde::exporter
