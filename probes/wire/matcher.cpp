// The search for a set's patterns in one body (the Matcher of patterns.hpp).
#include "probes/wire/pattern_engine.hpp"
#include "probes/wire/patterns.hpp"

#include <limits>
#include <new>
#include <stdexcept>
#include <utility>

namespace sonde::probes::wire {

namespace {

constexpr std::size_t kept_body = std::size_t{64} * 1024;

}  // namespace

class Matcher::State {
public:
    using Engine = PatternEngine;
    using Way = Engine::Way;

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    ~State() { close(); }

    void start(std::shared_ptr<const PatternSet> next, std::size_t max_extract_body);
    void feed(std::string_view data);
    void finish();

    std::shared_ptr<const PatternSet> set;
    std::vector<Verdict> verdicts;
    std::size_t undecided = 0;
    bool body_too_large = false;
    std::optional<std::size_t> deciding_feed;

private:
    static int on_match(unsigned id, unsigned long long, unsigned long long, unsigned, void* self) {
        auto& state = *static_cast<State*>(self);
        state.decide(id, Verdict::found);
        return state.streaming_left_ == 0 ? 1 : 0;
    }

    void decide(std::size_t index, Verdict verdict) {
        if (verdicts[index] == Verdict::undecided) {
            verdicts[index] = verdict;
            --undecided;
            if (set->engine_->places[index].way == Way::stream) {
                --streaming_left_;
            }
        }
    }

    void close() {
        if (stream_ != nullptr) {
            hs_close_stream(stream_, nullptr, nullptr, nullptr);
            stream_ = nullptr;
        }
    }

    void open_stream();
    void scan(std::string_view data);
    void keep(std::string_view data);

    std::shared_ptr<const Engine> engine_;  // of stream_, which must not outlive its database
    hs_stream_t* stream_ = nullptr;
    std::size_t streaming_left_ = 0;
    bool bounded_ = false;
    std::string body_;
    std::size_t max_extract_body_ = 0;
    std::size_t feeds_ = 0;
    bool finished_ = false;
};

void Matcher::State::start(std::shared_ptr<const PatternSet> next, std::size_t max_extract_body) {
    set = std::move(next);
    body_too_large = false;
    deciding_feed.reset();
    feeds_ = 0;
    finished_ = false;
    max_extract_body_ = max_extract_body;
    body_.clear();
    if (body_.capacity() > kept_body) {
        body_.shrink_to_fit();
    }
    const auto size = set ? set->size() : 0;
    verdicts.assign(size, Verdict::undecided);
    undecided = size;
    streaming_left_ = 0;
    bounded_ = false;
    if (size == 0) {
        return;
    }
    for (std::size_t i = 0; i < size; ++i) {
        switch (set->engine_->places[i].way) {
            case Way::always:
                decide(i, Verdict::found);
                break;
            case Way::stream:
                ++streaming_left_;
                break;
            case Way::bounded:
                bounded_ = true;
                break;
        }
    }
    if (streaming_left_ > 0) {
        open_stream();
    }
}

void Matcher::State::open_stream() {
    if (stream_ != nullptr && engine_ == set->engine_) {
        hs_reset_stream(stream_, 0, nullptr, nullptr, nullptr);
        return;
    }
    close();
    engine_ = set->engine_;
    if (hs_open_stream(engine_->database.get(), 0, &stream_) != HS_SUCCESS) {
        throw std::bad_alloc{};
    }
}

void Matcher::State::feed(std::string_view data) {
    const auto before = undecided;
    if (streaming_left_ > 0) {
        scan(data);
    }
    if (bounded_ && !body_too_large) {
        keep(data);
    }
    if (undecided < before) {
        deciding_feed = feeds_;
    }
    ++feeds_;
}

void Matcher::State::scan(std::string_view data) {
    constexpr std::size_t most = std::numeric_limits<unsigned>::max();
    auto* scratch = thread_scratch(*engine_);
    while (!data.empty() && streaming_left_ > 0) {
        const auto piece = data.substr(0, most);
        const auto result = hs_scan_stream(stream_,
                                           piece.data(),
                                           static_cast<unsigned>(piece.size()),
                                           0,
                                           scratch,
                                           &State::on_match,
                                           this);
        if (result != HS_SUCCESS && result != HS_SCAN_TERMINATED) {
            throw std::logic_error("vectorscan: scan failed with " + std::to_string(result));
        }
        data.remove_prefix(piece.size());
    }
}

void Matcher::State::keep(std::string_view data) {
    if (data.size() > max_extract_body_ - body_.size()) {
        body_too_large = true;
        body_.clear();
    } else {
        body_.append(data);
    }
}

void Matcher::State::finish() {
    if (finished_) {
        return;
    }
    finished_ = true;
    if (streaming_left_ > 0) {
        // Reports what matches only at the end of the data, and leaves the stream fit for the next.
        hs_reset_stream(stream_, 0, thread_scratch(*engine_), &State::on_match, this);
    }
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        const auto& place = set->engine_->places[i];
        if (place.way == Way::stream) {
            decide(i, Verdict::not_found);
        } else if (place.way == Way::bounded && !body_too_large) {
            const bool found =
                place.re2->Match(body_, 0, body_.size(), RE2::UNANCHORED, nullptr, 0);
            decide(i, found ? Verdict::found : Verdict::not_found);
        }
    }
}

Matcher::Matcher() : state_(std::make_unique<State>()) {}

Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;
Matcher::~Matcher() = default;

void Matcher::start(std::shared_ptr<const PatternSet> set, std::size_t max_extract_body) {
    state_->start(std::move(set), max_extract_body);
}

void Matcher::feed(std::span<const char> data) {
    state_->feed({data.data(), data.size()});
}

void Matcher::finish() {
    state_->finish();
}

bool Matcher::decided() const {
    return state_->undecided == 0;
}

Verdict Matcher::verdict(std::size_t index) const {
    return state_->verdicts[index];
}

std::optional<bool> Matcher::met(std::size_t index) const {
    const auto known = verdict(index);
    if (known == Verdict::undecided) {
        return std::nullopt;
    }
    return (known == Verdict::found) == state_->set->spec(index).expect_present;
}

bool Matcher::body_too_large() const {
    return state_->body_too_large;
}

std::optional<std::size_t> Matcher::deciding_feed() const {
    return state_->deciding_feed;
}

const PatternSet* Matcher::set() const {
    return state_->set.get();
}

}  // namespace sonde::probes::wire
