// A request as handlers see it: looking up headers and parameters, decoding the request-target.
#include "exporter/server/connection.hpp"

#include <boost/url/pct_string_view.hpp>

namespace sonde::exporter {

namespace {

bool decode(std::string_view encoded, bool plus_is_space, std::string& out) {
    const auto checked = boost::urls::make_pct_string_view(encoded);
    if (!checked) {
        return false;
    }
    boost::urls::encoding_opts options;
    options.space_as_plus = plus_is_space;
    out = checked->decode(options);
    return true;
}

/// The path and query of a target: all of it in origin-form and asterisk-form, what follows the
/// authority in absolute-form (which a server must accept, RFC 9112 section 3.2.2).
std::string_view without_authority(std::string_view target) {
    if (target.starts_with('/') || target == "*") {
        return target;
    }
    const auto scheme_end = target.find("://");
    if (scheme_end == std::string_view::npos) {
        return {};
    }
    const auto path = target.find_first_of("/?", scheme_end + 3);
    return path == std::string_view::npos ? "/" : target.substr(path);
}

}  // namespace

std::string_view HttpRequest::header(std::string_view lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

std::optional<std::string_view> HttpRequest::parameter(std::string_view name) const {
    for (const auto& [key, value] : query) {
        if (key == name) {
            return value;
        }
    }
    return std::nullopt;
}

// Boost.URL's own request-target parser is too strict here: it refuses the `|{}[]` that people type
// into the query of /probe?target=.
bool parse_request_target(std::string_view target, HttpRequest& request) {
    target = target.substr(0, target.find('#'));
    target = without_authority(target);
    if (target.empty()) {
        return false;
    }
    const auto question = target.find('?');
    if (!decode(target.substr(0, question), false, request.path)) {
        return false;
    }
    if (request.path.empty()) {
        request.path = "/";
    }
    if (question == std::string_view::npos) {
        return true;
    }
    auto rest = target.substr(question + 1);
    while (!rest.empty()) {
        const auto pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        if (pair.empty()) {
            continue;
        }
        const auto equals = pair.find('=');
        auto& [key, value] = request.query.emplace_back();
        const auto encoded =
            equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
        if (!decode(pair.substr(0, equals), true, key) || !decode(encoded, true, value)) {
            return false;
        }
    }
    return true;
}

}  // namespace sonde::exporter
