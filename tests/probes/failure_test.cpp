// The names of reasons, and the map into them.
#include "probes/failure.hpp"

#include <boost/asio/error.hpp>
#include <doctest/doctest.h>

#include <cerrno>
#include <set>

using boost::system::error_code;
using sonde::probes::classify;
using sonde::probes::Failure;
using sonde::probes::name;
using sonde::probes::Phase;

namespace {

error_code system_error(int number) {
    return {number, boost::system::system_category()};
}

}  // namespace

TEST_CASE("failure: names are the label values, all different") {
    std::set<std::string_view> names;
    for (int i = 0; i < static_cast<int>(Failure::count); ++i) {
        names.insert(name(static_cast<Failure>(i)));
    }
    CHECK(names.size() == static_cast<std::size_t>(Failure::count));
    CHECK_FALSE(names.contains(""));
    CHECK(name(Failure::none) == "none");
    CHECK(name(Failure::timeout) == "timeout");
    CHECK(name(Failure::certificate_name) == "certificate_name");
    CHECK(name(Failure::body_too_large) == "body_too_large");
    CHECK(name(Failure::internal_error) == "internal_error");
    CHECK(name(Failure::count) == "internal_error");
    CHECK(name(Phase::resolve) == "resolve");
    CHECK(name(Phase::transfer) == "transfer");
    CHECK(name(Phase::other) == "other");
    CHECK(name(Phase::count) == "other");
}

TEST_CASE("failure: errors of the system by phase") {
    struct Case {
        int number;
        Failure connecting;
        Failure later;
    };

    for (const auto& [number, connecting, later] :
         {Case{0, Failure::none, Failure::none},
          Case{ECONNREFUSED, Failure::connect_refused, Failure::connect_refused},
          Case{ECONNRESET, Failure::connection_reset, Failure::connection_reset},
          Case{EPIPE, Failure::connection_reset, Failure::connection_reset},
          Case{EHOSTUNREACH, Failure::unreachable, Failure::unreachable},
          Case{ENETUNREACH, Failure::unreachable, Failure::unreachable},
          Case{EINVAL, Failure::unreachable, Failure::internal_error},
          Case{EADDRNOTAVAIL, Failure::unreachable, Failure::unreachable},
          Case{EACCES, Failure::permission_denied, Failure::permission_denied},
          Case{EPERM, Failure::permission_denied, Failure::permission_denied},
          Case{ETIMEDOUT, Failure::timeout, Failure::timeout},
          Case{ECANCELED, Failure::timeout, Failure::timeout},
          Case{EMFILE, Failure::internal_error, Failure::internal_error},
          Case{EBADF, Failure::internal_error, Failure::internal_error}}) {
        CAPTURE(number);
        CHECK(classify(system_error(number), Phase::connect) == connecting);
        CHECK(classify({number, boost::system::generic_category()}, Phase::connect) == connecting);
        for (const auto phase : {Phase::tls, Phase::processing, Phase::transfer, Phase::other}) {
            CHECK(classify(system_error(number), phase) == later);
        }
    }
}

TEST_CASE("failure: what this machine has run out of is no word on the target") {
    using sonde::probes::is_exhaustion;
    for (const int number : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
        CHECK(is_exhaustion(system_error(number), Phase::connect));
        CHECK(is_exhaustion(system_error(number), Phase::transfer));
    }
    CHECK(is_exhaustion(system_error(EADDRNOTAVAIL), Phase::connect));
    CHECK_FALSE(is_exhaustion(system_error(EADDRNOTAVAIL), Phase::transfer));
    CHECK_FALSE(is_exhaustion(system_error(ECONNREFUSED), Phase::connect));
    CHECK_FALSE(is_exhaustion({}, Phase::connect));
    CHECK_FALSE(is_exhaustion(boost::asio::error::eof, Phase::transfer));
}

TEST_CASE("failure: while resolving") {
    CHECK(classify(system_error(ECONNREFUSED), Phase::resolve) == Failure::resolve_failed);
    CHECK(classify(system_error(ENETUNREACH), Phase::resolve) == Failure::resolve_failed);
    CHECK(classify(system_error(ETIMEDOUT), Phase::resolve) == Failure::timeout);
    CHECK(classify(boost::asio::error::operation_aborted, Phase::resolve) == Failure::timeout);
    CHECK(classify(boost::asio::error::host_not_found, Phase::resolve) == Failure::resolve_failed);
    CHECK(classify(boost::asio::error::service_not_found, Phase::resolve) ==
          Failure::resolve_failed);
    CHECK(classify({}, Phase::resolve) == Failure::none);
}

TEST_CASE("failure: errors of Asio") {
    CHECK(classify(boost::asio::error::eof, Phase::tls) == Failure::tls_handshake);
    CHECK(classify(boost::asio::error::eof, Phase::processing) == Failure::connection_reset);
    CHECK(classify(boost::asio::error::eof, Phase::transfer) == Failure::connection_reset);
    CHECK(classify(boost::asio::error::operation_aborted, Phase::transfer) == Failure::timeout);
    CHECK(classify(boost::asio::error::already_open, Phase::connect) == Failure::internal_error);
}
