#include "common/base/exit_code.h"
#include "common/base/print_error.h"
#include "common/base/process.h"
#include "common/net/tls.h"
#include "mtqpd/mtqp/ask/check.h"
#include "mtqpd/mtqp/ask/list.h"
#include "mtqpd/mtqp/ask/resolve.h"
#include "mtqpd/mtqp/ask/track.h"
#include "mtqpd/mtqp/ask/watch.h"
#include "mtqpd/mtqp/base/options.h"
#include "mtqpd/mtqp/base/secret.h"
#include "mtqpd/mtqp/send/new.h"
#include "mtqpd/mtqp/send/send.h"

#include <signal.h>

#include <exception>

namespace mtrk::cli {
namespace {

// Only `hostname` of the configuration matters here. The system's file is for daemons and need not
// be readable: unless --config names a file, one that cannot be read counts as absent.
std::optional<int> load(const ProgramOptions& options, Config& config) {
  if (options.config_path || options.check_config) {
    return prepare_config("mtqp", options, nullptr, config);
  }
  if (Expected<Config> loaded = load_program_config(std::nullopt, kDefaultConfigPath)) {
    config = std::move(*loaded);
  }
  return std::nullopt;
}

// There is one overload for each command, so that a new one cannot be forgotten.
struct Runner {
  const Config& config;

  int operator()(const NewOptions& options) const { return run_new(options, config); }
  int operator()(const SendOptions& options) const { return run_send(options, config); }
  int operator()(const ListOptions& options) const { return run_list(options); }
  int operator()(const TrackOptions& options) const { return run_track(options); }
  int operator()(const StatusOptions& options) const { return run_status(options); }
  int operator()(const WatchOptions& options) const { return run_watch(options); }
  int operator()(const ResolveOptions& options) const { return run_resolve(options); }
  int operator()(const CheckOptions& options) const { return run_check(options); }
  int operator()(std::monostate) const { return exit_code::ok; }  // only --check-config was given
};

int run(const CommandLine& line) {
  Config config;
  if (const std::optional<int> code = load(line.program, config)) {
    return *code;
  }
  return std::visit(Runner{config}, line.command);
}

int run(int argc, char** argv) {
  CommandLine line;
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (wipe_uris(argc, argv)) {
    print_error(
        "mtqp: hint: the URI holds the secret; ps and your shell's history may show it. "
        "Use: mtqp track - <FILE\n");
  }
  if (const std::optional<int> code = parse_command_line(arguments, line)) {
    return *code;
  }
  return run(line);
}

}  // namespace
}  // namespace mtrk::cli

int main(int argc, char** argv) {
  mtrk::open_standard_descriptors();
  mtrk::forbid_dumps();  // this process holds secrets
  ::signal(SIGPIPE,
           SIG_IGN);  // NOLINT(concurrency-mt-unsafe): a peer that went away is an error code
  int code = mtrk::exit_code::os_error;
  try {
    code = mtrk::cli::run(argc, argv);
  } catch (const mtrk::net::TlsError& error) {
    mtrk::print_error("mtqp: {}\n", error.what());
    code = mtrk::exit_code::usage;
  } catch (const std::exception& error) {
    if (!mtrk::is_output_error(error)) {
      mtrk::print_error("mtqp: {}\n", error.what());
    }
  }
  return mtrk::finish_output("mtqp", code);
}
