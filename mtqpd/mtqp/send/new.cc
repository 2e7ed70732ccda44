#include "mtqpd/mtqp/send/new.h"

#include "common/base/exit_code.h"
#include "common/base/print_error.h"
#include "common/base/wipe.h"
#include "mtqpd/mtqp/send/identity.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace mtrk::cli {

int run_new(const NewOptions& options, const Config& config) {
  const std::string host = choose_host_name(options.host, config.hostname);
  const Expected<Identity> identity = make_identity(host, options.timeout, false);
  if (!identity) {
    print_error("mtqp: --host: {}\n", identity.error().detail);
    return exit_code::usage;
  }
  Expected<std::string> uri = make_uri(options.tracker, host, *identity);
  if (!uri) {
    print_error("mtqp: {}\n", uri.error().detail);
    return exit_code::usage;
  }
  std::string secret = identity->secret.to_base64();
  if (options.json) {
    boost::json::object object;
    object["v"] = 1;
    object["envelope_id"] = identity->envelope_id.decoded();
    object["envid"] = identity->envelope_id.xtext();
    object["secret"] = secret;
    object["certifier"] = identity->mtrk.certifier.to_base64();
    object["mtrk"] = format_mtrk_param(identity->mtrk);
    object["uri"] = *uri;
    fmt::print("{}\n", boost::json::serialize(object));
  } else {
    fmt::print("ENVID={}\nMTRK={}\nsecret {}\n{}\n", identity->envelope_id.xtext(),
               format_mtrk_param(identity->mtrk), secret, *uri);
  }
  wipe(secret);
  wipe(*uri);
  return exit_code::ok;
}

}  // namespace mtrk::cli
