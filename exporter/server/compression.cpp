// gzip by zlib and zstd, both at level 1: a scrape is made once and read once, so speed counts.
#include "exporter/server/compression.hpp"

#include "exporter/number_text.hpp"
#include "probes/trim.hpp"

#include <boost/beast/core/string.hpp>

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace sonde::exporter {

namespace {

constexpr std::size_t smallest_worth_it = 1024;  // below, one packet carries it either way
constexpr std::size_t piece_size = 64 * 1024;
// A compressed piece stands for ten to twenty times its size in text; it is kept small so that one
// piece does not hold the server's thread for long.
constexpr std::size_t compressed_piece_size = 16 * 1024;
constexpr int level = 1;

/// The weight in the parameters of a list element; 1 when it has none, 0 when it is malformed.
double weight(std::string_view parameters) {
    while (!parameters.empty()) {
        const auto parameter = probes::trim(parameters.substr(0, parameters.find(';')));
        parameters.remove_prefix(std::min(parameters.size(), parameters.find(';')));
        parameters.remove_prefix(std::min<std::size_t>(parameters.size(), 1));
        if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
            const auto value = number_in<double>(parameter.substr(2));
            return value && *value >= 0 && *value <= 1 ? *value : 0;
        }
    }
    return 1;
}

struct Weights {
    std::optional<double> zstd;
    std::optional<double> gzip;
    std::optional<double> identity;
    std::optional<double> any;
};

Weights read_weights(std::string_view header) {
    Weights weights;
    while (!header.empty()) {
        const auto element = header.substr(0, header.find(','));
        header.remove_prefix(std::min(header.size(), element.size() + 1));
        const auto semicolon = std::min(element.find(';'), element.size());
        const auto coding = probes::trim(element.substr(0, semicolon));
        const auto value = weight(element.substr(std::min(semicolon + 1, element.size())));
        if (boost::beast::iequals(coding, "zstd")) {
            weights.zstd = value;
        } else if (boost::beast::iequals(coding, "gzip") ||
                   boost::beast::iequals(coding, "x-gzip")) {
            weights.gzip = value;
        } else if (boost::beast::iequals(coding, "identity")) {
            weights.identity = value;
        } else if (coding == "*") {
            weights.any = value;
        }
    }
    return weights;
}

/// A body that is held already.
class StringSource final : public BodySource {
public:
    explicit StringSource(std::string text) : text_(std::move(text)) {}

    bool next(std::string& out) override {
        const auto size = std::min(piece_size, text_.size() - position_);
        out.append(text_, position_, size);
        position_ += size;
        return position_ < text_.size();
    }

private:
    std::string text_;
    std::size_t position_ = 0;
};

/// A source whose first piece has been drawn to look at it.
class ResumedSource final : public BodySource {
public:
    ResumedSource(std::string first, std::unique_ptr<BodySource> rest)
        : first_(std::move(first)),
          rest_(std::move(rest)) {}

    bool next(std::string& out) override {
        if (!started_) {
            started_ = true;
            out += first_;
            first_ = {};
            return true;
        }
        return rest_->next(out);
    }

private:
    std::string first_;
    std::unique_ptr<BodySource> rest_;
    bool started_ = false;
};

/// Draws from the inner source until a piece of compressed bytes is full.
class Compressor : public BodySource {
public:
    explicit Compressor(std::unique_ptr<BodySource> inner) : inner_(std::move(inner)) {}

    bool next(std::string& out) final {
        const auto before = out.size();
        while (more_ && out.size() - before < compressed_piece_size) {
            piece_.clear();
            more_ = inner_->next(piece_);
            compress(piece_, !more_, out);
        }
        return more_;
    }

protected:
    /// Appends what the codec gives for `in`; everything that is left when `last`.
    virtual void compress(std::string_view in, bool last, std::string& out) = 0;

private:
    std::unique_ptr<BodySource> inner_;
    std::string piece_;
    bool more_ = true;
};

class GzipCompressor final : public Compressor {
public:
    explicit GzipCompressor(std::unique_ptr<BodySource> inner) : Compressor(std::move(inner)) {
        static constexpr int gzip_window = 15 + 16;  // zlib.h: 16 asks for the gzip wrapper
        static constexpr int memory_level = 8;       // zlib's default
        if (deflateInit2(
                &stream_, level, Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) !=
            Z_OK) {
            throw std::runtime_error("zlib cannot start to compress");
        }
    }

    ~GzipCompressor() override { deflateEnd(&stream_); }

private:
    void compress(std::string_view in, bool last, std::string& out) override {
        if (in.size() > std::numeric_limits<uInt>::max()) {
            throw std::runtime_error("a piece of an answer is too large for zlib");
        }
        // zlib reads through this pointer only; it lacks const unless ZLIB_CONST is defined.
        stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
        stream_.avail_in = static_cast<uInt>(in.size());
        do {
            stream_.next_out = output_.data();
            stream_.avail_out = static_cast<uInt>(output_.size());
            if (deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR) {
                throw std::runtime_error("zlib failed to compress");
            }
            out.append(reinterpret_cast<const char*>(output_.data()),
                       output_.size() - stream_.avail_out);
        } while (stream_.avail_out == 0);
    }

    z_stream stream_{};
    std::array<Bytef, 16 * 1024> output_;
};

class ZstdCompressor final : public Compressor {
public:
    explicit ZstdCompressor(std::unique_ptr<BodySource> inner)
        : Compressor(std::move(inner)),
          context_(ZSTD_createCCtx()) {
        if (!context_) {
            throw std::runtime_error("zstd cannot start to compress");
        }
        check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
    }

private:
    struct Free {
        void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    };

    static std::size_t check(std::size_t result) {
        if (ZSTD_isError(result) != 0) {
            throw std::runtime_error(std::string("zstd: ") + ZSTD_getErrorName(result));
        }
        return result;
    }

    void compress(std::string_view in, bool last, std::string& out) override {
        ZSTD_inBuffer input{in.data(), in.size(), 0};
        const auto mode = last ? ZSTD_e_end : ZSTD_e_continue;
        std::size_t left = 0;
        do {
            ZSTD_outBuffer output{output_.data(), output_.size(), 0};
            left = check(ZSTD_compressStream2(context_.get(), &output, &input, mode));
            out.append(output_.data(), output.pos);
        } while (last ? left != 0 : input.pos < input.size);
    }

    std::unique_ptr<ZSTD_CCtx, Free> context_;
    std::array<char, 16 * 1024> output_;
};

}  // namespace

std::string_view name(ContentCoding coding) {
    switch (coding) {
        case ContentCoding::gzip:
            return "gzip";
        case ContentCoding::zstd:
            return "zstd";
        case ContentCoding::identity:
            break;
    }
    return "identity";
}

ContentCoding negotiate_coding(std::string_view accept_encoding) {
    const auto weights = read_weights(accept_encoding);
    const auto other = weights.any.value_or(0);
    const auto zstd = weights.zstd.value_or(other);
    const auto gzip = weights.gzip.value_or(other);
    const auto identity = weights.identity.value_or(0);
    if (zstd > 0 && zstd >= gzip && zstd >= identity) {
        return ContentCoding::zstd;
    }
    if (gzip > 0 && gzip >= identity) {
        return ContentCoding::gzip;
    }
    return ContentCoding::identity;
}

std::unique_ptr<BodySource> make_compressor(ContentCoding coding,
                                            std::unique_ptr<BodySource> inner) {
    if (coding == ContentCoding::zstd) {
        return std::make_unique<ZstdCompressor>(std::move(inner));
    }
    return std::make_unique<GzipCompressor>(std::move(inner));
}

void compress_response(HttpResponse& response, std::string_view accept_encoding) {
    response.headers.emplace_back("Vary", "Accept-Encoding");
    const auto coding = negotiate_coding(accept_encoding);
    if (coding == ContentCoding::identity) {
        return;
    }
    if (response.source) {
        std::string first;
        if (response.source->next(first)) {
            response.source =
                std::make_unique<ResumedSource>(std::move(first), std::move(response.source));
        } else {
            response.body = std::move(first);
            response.source.reset();
        }
    }
    if (!response.source) {
        if (response.body.size() < smallest_worth_it) {
            return;
        }
        response.source = std::make_unique<StringSource>(std::move(response.body));
        response.body.clear();
    }
    response.source = make_compressor(coding, std::move(response.source));
    response.headers.emplace_back("Content-Encoding", std::string(name(coding)));
}

}  // namespace sonde::exporter
