#include "exporter/web/hide_private.hpp"

#include "probes/url.hpp"
#include "probes/url_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace sonde::exporter {

namespace {

constexpr std::string_view hidden = "<hidden>";

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

/// Query and fragment of what a server sends us to hold signatures, codes and tokens.
std::string without_query(std::string_view url) {
    const std::size_t end = url.find_first_of("?#");
    return end == std::string_view::npos ? std::string{url}
                                         : std::string{url.substr(0, end + 1)}.append(hidden);
}

std::string origin_only(const std::string& text) {
    std::string error;
    const auto url = probes::Url::parse(text, error);
    return url ? url->origin() + "/<secret>" : std::string{hidden};
}

/// "name=<hidden>; Path=/; Secure"
std::string cookie(std::string_view value) {
    const std::size_t attributes = value.find(';');
    const std::size_t equals = value.substr(0, attributes).find('=');
    std::string out;
    if (equals != std::string_view::npos) {
        out.append(value.substr(0, equals + 1));
    }
    out.append(hidden);
    if (attributes != std::string_view::npos) {
        out.append(value.substr(attributes));
    }
    return out;
}

std::string shown_value(const std::string& name, const std::string& value, bool secret_url) {
    constexpr std::array<std::string_view, 4> urls{
        "location", "content-location", "refresh", "link"};
    constexpr std::array<std::string_view, 7> private_words{
        "authorization", "authentication-info", "token", "secret", "session", "api-key", "apikey"};
    const std::string field = probes::url_lower(name);
    if (field.starts_with("set-cookie")) {
        return cookie(value);
    }
    if (is_one_of(field, urls)) {
        return secret_url ? std::string{hidden} : without_query(value);
    }
    const bool is_private = std::ranges::any_of(
        private_words, [&](std::string_view word) { return field.find(word) != field.npos; });
    return is_private ? std::string{hidden} : value;
}

}  // namespace

std::string shown_url(const Job& job) {
    return job.shown_url.empty() ? job.target.url.show() : job.shown_url;
}

void hide_private(probes::Trace& trace, const Job& job) {
    const bool secret_url = !job.shown_url.empty();
    for (probes::TraceHop& hop : trace.hops) {
        if (!hop.was_redirected_to) {
            hop.url = shown_url(job);
        } else {
            hop.url = secret_url ? origin_only(hop.url) : without_query(hop.url);
        }
        for (auto& [name, value] : hop.headers) {
            value = shown_value(name, value, secret_url);
        }
    }
}

}  // namespace sonde::exporter
