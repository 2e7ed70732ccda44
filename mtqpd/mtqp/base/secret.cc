#include "mtqpd/mtqp/base/secret.h"

#include "common/base/ascii.h"
#include "common/base/wipe.h"

#include <string.h>

#include <cstdlib>
#include <fstream>
#include <istream>

namespace mtrk::cli {
namespace {

constexpr char kSecretVariable[] = "MTQP_SECRET";
constexpr std::streamsize kMaxSecretLine = 1024;

}  // namespace

Expected<TrackingSecret> read_secret(std::istream& in) {
  std::string buffer(kMaxSecretLine, '\0');
  in.getline(buffer.data(), kMaxSecretLine);
  const std::string_view line(buffer.c_str());
  Expected<TrackingSecret> secret =
      TrackingSecret::parse_base64(trim(line.substr(0, line.find('\r'))));
  wipe(buffer);
  if (!secret) {
    return fail(secret.error().code, "this is no secret: one line of base64 is expected");
  }
  return secret;
}

Expected<TrackingSecret> read_secret_file(const std::string& path) {
  std::ifstream in;
  in.rdbuf()->pubsetbuf(nullptr, 0);  // no copy of the secret in a stream buffer
  in.open(path, std::ios::binary);
  if (!in) {
    return fail(ErrorCode::not_allowed, path + ": " + ::strerror(errno));
  }
  Expected<TrackingSecret> secret = read_secret(in);
  if (!secret) {
    return fail(secret.error().code, path + ": " + secret.error().detail);
  }
  return secret;
}

Expected<TrackingSecret> take_secret_from_environment() {
  char* value = std::getenv(kSecretVariable);  // NOLINT(concurrency-mt-unsafe): before any thread
  if (value == nullptr) {
    return fail(ErrorCode::syntax, "no secret: give --secret-file, --secret-stdin or $MTQP_SECRET");
  }
  Expected<TrackingSecret> secret = TrackingSecret::parse_base64(trim(value));
  ::explicit_bzero(value, ::strlen(value));
  ::unsetenv(kSecretVariable);  // NOLINT(concurrency-mt-unsafe)
  if (!secret) {
    return fail(secret.error().code, "$MTQP_SECRET is no base64 secret");
  }
  return secret;
}

bool wipe_uris(int argc, char** argv) {
  bool found = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument(argv[i]);
    if (istarts_with(argument, "mtqp:")) {
      ::memset(argv[i] + 5, '*', argument.size() - 5);  // NOLINT: argv is this process's to write
      found = true;
    }
  }
  return found;
}

}  // namespace mtrk::cli
