// mtrk-gate(8): speaks RFC 3885 on the wire for a mail system that cannot.
#include "common/base/exit_code.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/config/program_options.h"
#include "common/net/tls.h"
#include "milter/gate/daemon.h"

#include <CLI/CLI.hpp>

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

namespace {

constexpr char kExamples[] = R"text(Examples:
  mtrk-gate --check-config               say what is wrong with /etc/mtrk/mtrk.conf
  mtrk-gate --config ./mtrk.conf         run in the foreground, log to standard error
  kill -HUP "$(pidof mtrk-gate)"         reload; sessions in progress go on

In front of a mail system that listens on port 10024 (mtrk.conf):
  [gate.inbound]
  listen = ["[::]:25"]
  upstream = "127.0.0.1:10024"
See mtrk-gate(8) and mtrk.conf(5).)text";

// Raises the limit of descriptors as far as possible, because a session needs two.
void set_limits() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
  }
  std::signal(SIGPIPE, SIG_IGN);
}

int serve(const mtrk::ProgramOptions& options) {
  using mtrk::gate::check_settings;
  mtrk::Config config;
  const auto check = [](const mtrk::Config& candidate) { return check_settings(candidate); };
  if (const auto code = mtrk::prepare_config("mtrk-gate", options, check, config)) {
    return *code;
  }
  mtrk::log::open(mtrk::log::Sink::standard_error, "mtrk-gate", mtrk::log::Level::info);
  set_limits();
  const auto load = [path = options.config_path] {
    return mtrk::load_program_config(path, mtrk::kDefaultConfigPath);
  };
  try {
    mtrk::gate::GateDaemon(config, load).run();
    return mtrk::exit_code::ok;
  } catch (const std::system_error& error) {
    mtrk::log::error("", {{"mtrk-gate", "cannot go on"}, {"reason", error.what()}});
    return mtrk::exit_code::unavailable;
  }
}

int run(int argc, char** argv) {
  CLI::App app(
      "Speaks message tracking (RFC 3885) on the wire, in front of and behind a mail system.",
      "mtrk-gate");
  app.footer(kExamples);
  mtrk::ProgramOptions options;
  std::string config_path;
  app.add_option("--config", config_path,
                 std::string("Configuration file (default ") + mtrk::kDefaultConfigPath + ")")
      ->type_name("FILE");
  app.add_flag("--check-config", options.check_config,
               "Check the configuration and certificates, then exit");
  app.set_version_flag("--version", mtrk::version_line("mtrk-gate"));
  try {
    app.parse(argc, argv);
    if (!config_path.empty()) {
      options.config_path = config_path;
    }
    return serve(options);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "mtrk-gate: %s\n", error.what());
    return mtrk::exit_code::usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mtrk-gate: %s\n", error.what());
    return mtrk::exit_code::software;
  }
}

}  // namespace

int main(int argc, char** argv) {
  mtrk::open_standard_descriptors();
  mtrk::forbid_dumps();  // mail passes through its memory
  return mtrk::finish_output("mtrk-gate", run(argc, argv));
}
