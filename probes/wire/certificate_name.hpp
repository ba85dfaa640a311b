// Distinguished names as Go's crypto/x509/pkix.Name.String() writes them, which is what
// blackbox_exporter's labels hold: RFC 2253 with Go's own order of attributes.
#pragma once

#include <openssl/types.h>

#include <string>

namespace sonde::probes::wire {

[[nodiscard]] std::string go_name(const X509_NAME* name);

}  // namespace sonde::probes::wire
