// What a TLS connection of a check says about itself, as label values and for people.
#pragma once

#include "probes/kinds/http/check.hpp"
#include "probes/net/tls_stream.hpp"
#include "probes/trace.hpp"

namespace sonde::probes::http {

/// After the handshake, verified or not. A repeated check of the same certificate allocates no
/// labels.
[[nodiscard]] TlsFacts tls_facts(const net::TlsStream& tls, bool verified);

void describe_tls(const net::TlsStream& tls, const net::TlsVerdict& verdict, TraceHop& hop);

}  // namespace sonde::probes::http
