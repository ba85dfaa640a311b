// Boost.JSON's stream parser over a monotonic arena.
#include "probes/wire/json_body.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace sonde::probes::wire {

namespace {

boost::json::parse_options strict() {
    boost::json::parse_options options;
    options.max_depth = JsonBody::max_depth;
    return options;
}

}  // namespace

class JsonBody::State {
public:
    void start(std::size_t max_bytes) {
        value_.reset();
        // Its stack of unfinished values stays as large as the largest body made it.
        if (size_ > kept_size) {
            parser_.emplace(boost::json::storage_ptr{}, strict());
        }
        parser_->reset();
        // Not release(): it keeps the size of the next block, which doubles with each one taken
        // (Boost 1.81), until no memory is left.
        arena_.emplace(buffer_.data(), buffer_.size());
        parser_->reset(&*arena_);
        max_bytes_ = max_bytes;
        size_ = 0;
        too_large_ = false;
        error_.clear();
    }

    void feed(std::span<const char> data) {
        if (!error_.empty() || data.empty()) {
            return;
        }
        if (data.size() > max_bytes_ - size_) {
            too_large_ = true;
            error_ = "the body is over " + std::to_string(max_bytes_) + " bytes";
            return;
        }
        boost::system::error_code failed;
        const auto used = parser_->write_some(data.data(), data.size(), failed);
        if (failed || used < data.size()) {
            fail(failed ? failed.message() : "extra data behind the value", size_ + used);
        }
        size_ += data.size();
    }

    bool finish() {
        if (!error_.empty()) {
            return false;
        }
        if (size_ == 0) {
            error_ = "not JSON: the body is empty";
            return false;
        }
        boost::system::error_code failed;
        parser_->finish(failed);
        if (failed) {
            fail(
                failed == boost::json::error::incomplete ? "the body ends early" : failed.message(),
                size_);
            return false;
        }
        value_.emplace(parser_->release());
        return true;
    }

    [[nodiscard]] bool too_large() const { return too_large_; }

    [[nodiscard]] const std::string& error() const { return error_; }

    [[nodiscard]] const boost::json::value& value() const { return *value_; }

private:
    static constexpr std::size_t kept_size = std::size_t{64} * 1024;

    void fail(std::string_view what, std::size_t position) {
        error_ = "not JSON: " + std::string{what} + " at byte " + std::to_string(position);
    }

    std::array<unsigned char, std::size_t{16} * 1024> buffer_{};
    std::optional<boost::json::monotonic_resource> arena_;
    std::optional<boost::json::stream_parser> parser_{
        std::in_place, boost::json::storage_ptr{}, strict()};
    std::optional<boost::json::value> value_;
    std::size_t max_bytes_ = 0;
    std::size_t size_ = 0;
    bool too_large_ = false;
    std::string error_;
};

JsonBody::JsonBody() : state_(std::make_unique<State>()) {}

JsonBody::JsonBody(JsonBody&&) noexcept = default;
JsonBody& JsonBody::operator=(JsonBody&&) noexcept = default;
JsonBody::~JsonBody() = default;

void JsonBody::start(std::size_t max_bytes) {
    state_->start(max_bytes);
}

void JsonBody::feed(std::span<const char> data) {
    state_->feed(data);
}

bool JsonBody::finish() {
    return state_->finish();
}

bool JsonBody::too_large() const {
    return state_->too_large();
}

const std::string& JsonBody::error() const {
    return state_->error();
}

const boost::json::value& JsonBody::value() const {
    return state_->value();
}

}  // namespace sonde::probes::wire
