// RE2 as matches() uses it.
#include "probes/wire/cel/regex.hpp"

#include "probes/wire/printable.hpp"

#include <re2/re2.h>

namespace sonde::probes::wire::cel {

std::shared_ptr<const re2::RE2> compile_regex(std::string_view pattern,
                                              std::int64_t memory,
                                              std::string& error) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(memory);
    auto compiled =
        std::make_shared<const re2::RE2>(re2::StringPiece{pattern.data(), pattern.size()}, options);
    if (!compiled->ok()) {
        error = "the pattern \"" + printable(pattern, 64) +
                "\" is no regular expression: " + printable(compiled->error(), 128);
        return nullptr;
    }
    return compiled;
}

bool found_in(const re2::RE2& pattern, std::string_view text) {
    return re2::RE2::PartialMatch(re2::StringPiece{text.data(), text.size()}, pattern);
}

}  // namespace sonde::probes::wire::cel
