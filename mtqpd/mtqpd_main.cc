// mtqpd(8): answers MTQP (RFC 3887) from the store that mtrk-milter fills.
#include "common/base/exit_code.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/config/program_options.h"
#include "common/store/store_error.h"
#include "mtqpd/server/daemon.h"

#include <CLI/CLI.hpp>

#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

namespace {

constexpr char kExamples[] = R"text(Examples:
  mtqpd --check-config                   say what is wrong with /etc/mtrk/mtrk.conf
  mtqpd --config ./mtrk.conf             run in the foreground, log to standard error
  kill -HUP "$(pidof mtqpd)"             reload configuration and certificates
  mtqp check localhost                   what it offers, and its TLS
See mtqpd(8), mtqp(1) and mtrk.conf(5).)text";

// Raises the limit of descriptors as far as possible, because every connection is one.
void set_limits() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &files));
  }
  std::signal(SIGPIPE, SIG_IGN);
}

void show_warnings(const mtrk::Config& config) {
  for (const std::string& line : mtrk::mtqpd::settings_warnings(
           *mtrk::mtqpd::make_settings(config), config.hostname, mtrk::mtqpd::wall_clock())) {
    std::fprintf(stderr, "mtqpd: warning: %s\n", line.c_str());
  }
}

int serve(const mtrk::ProgramOptions& options) {
  mtrk::Config config;
  const auto check = [&options](const mtrk::Config& candidate) {
    std::string problem = mtrk::mtqpd::check_settings(candidate);
    if (problem.empty() && options.check_config) {
      show_warnings(candidate);
    }
    return problem;
  };
  if (const auto code = mtrk::prepare_config("mtqpd", options, check, config)) {
    return *code;
  }
  mtrk::log::open(mtrk::log::Sink::standard_error, "mtqpd", mtrk::log::Level::info);
  set_limits();
  const auto load = [path = options.config_path] {
    return mtrk::load_program_config(path, mtrk::kDefaultConfigPath);
  };
  try {
    mtrk::mtqpd::Daemon(config, load).run();
    return mtrk::exit_code::ok;
  } catch (const mtrk::store::StoreUnusable& error) {
    mtrk::log::error("", {{"mtqpd", "cannot go on"}, {"reason", error.what()}});
    return error.exit_code();
  } catch (const std::system_error& error) {
    mtrk::log::error("", {{"mtqpd", "cannot go on"}, {"reason", error.what()}});
    return mtrk::exit_code::unavailable;
  }
}

int run(int argc, char** argv) {
  CLI::App app("Answers message tracking queries (MTQP, RFC 3887) from the tracking store.",
               "mtqpd");
  app.footer(kExamples);
  mtrk::ProgramOptions options;
  std::string config_path;
  app.add_option("--config", config_path,
                 std::string("Configuration file (default ") + mtrk::kDefaultConfigPath + ")")
      ->type_name("FILE");
  app.add_flag("--check-config", options.check_config,
               "Check the configuration and certificates, then exit");
  app.set_version_flag("--version", mtrk::version_line("mtqpd"));
  try {
    app.parse(argc, argv);
    if (!config_path.empty()) {
      options.config_path = config_path;
    }
    return serve(options);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "mtqpd: %s\n", error.what());
    return mtrk::exit_code::usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mtqpd: %s\n", error.what());
    return mtrk::exit_code::software;
  }
}

}  // namespace

int main(int argc, char** argv) {
  mtrk::open_standard_descriptors();
  mtrk::forbid_dumps();  // secrets pass through its memory
  return mtrk::finish_output("mtqpd", run(argc, argv));
}
