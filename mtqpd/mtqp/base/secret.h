#pragma once

#include "common/track/secret.h"

#include <iosfwd>
#include <string>

// How a secret reaches `mtqp`: never as an argument.
namespace mtrk::cli {

// The base64 of the first line; white space around it is dropped. Fails: unreadable, no secret.
[[nodiscard]] Expected<TrackingSecret> read_secret_file(const std::string& path);
[[nodiscard]] Expected<TrackingSecret> read_secret(std::istream& in);
// Takes $MTQP_SECRET out of the environment of this process.
[[nodiscard]] Expected<TrackingSecret> take_secret_from_environment();

// Overwrites the memory of every argument that is an mtqp: URI, so that ps no longer shows it. True
// if there was one. (The shell's history still has it.)
[[nodiscard]] bool wipe_uris(int argc, char** argv);

}  // namespace mtrk::cli
