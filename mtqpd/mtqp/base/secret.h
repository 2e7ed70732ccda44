#pragma once

#include "common/track/secret.h"

#include <iosfwd>
#include <string>

// Reads the secret that `mtqp` needs; it is never an argument.
namespace mtrk::cli {

// Return the secret that the first line holds in base64, possibly between white space. Return an
// error if the file cannot be read or the line holds no secret.
[[nodiscard]] Expected<TrackingSecret> read_secret_file(const std::string& path);
[[nodiscard]] Expected<TrackingSecret> read_secret(std::istream& in);
// Returns the secret in $MTQP_SECRET, and removes it from the environment of this process.
[[nodiscard]] Expected<TrackingSecret> take_secret_from_environment();

// Overwrites the memory of every argument that is an mtqp: URI, so that ps no longer shows it. (The
// shell's history still has it.) Returns true if there was one.
[[nodiscard]] bool wipe_uris(int argc, char** argv);

}  // namespace mtrk::cli
