// A set of HTTP status codes as a config writes it: "2xx", "200-299", "404".
#pragma once

#include <bitset>
#include <string>
#include <string_view>

namespace sonde::probes::wire {

/// Codes from 100 to 999: beyond the classes of RFC 9110 too, as servers in the wild send them.
class StatusSet {
public:
    /// Adds one item: a class ("2xx"), a range ("200-299", both ends included) or a code. False: it
    /// is none of these, nothing was added, and `error` says what would be right.
    bool add(std::string_view item, std::string& error);
    bool add(long long code, std::string& error);

    [[nodiscard]] bool contains(unsigned code) const {
        return code < codes_.size() && codes_.test(code);
    }

    [[nodiscard]] bool empty() const { return codes_.none(); }

    /// The shortest form that reads back as the same set: "2xx, 401, 500-503".
    [[nodiscard]] std::string text() const;

    bool operator==(const StatusSet&) const = default;

private:
    std::bitset<1000> codes_;
};

}  // namespace sonde::probes::wire
