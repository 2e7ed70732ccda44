#include "common/base/exit_code.h"
#include "common/base/log.h"
#include "common/base/process.h"
#include "common/config/program_options.h"
#include "common/store/store_error.h"
#include "milter/base/socket.h"
#include "milter/daemon/daemon.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>

namespace {

constexpr char kExamples[] = R"text(Examples:
  mtrk-milter --check-config                 say what is wrong with /etc/mtrk/mtrk.conf
  mtrk-milter --config ./mtrk.conf           run in the foreground, log to standard error
  kill -USR1 "$(pidof mtrk-milter)"          reload retention, queue_lifetime and filters

Postfix, last in the list of milters (main.cf):
  smtpd_milters = ..., { unix:mtrk/milter.sock, connect_timeout=2s, command_timeout=2s,
                         content_timeout=4s, default_action=accept }
  smtpd_command_filter = regexp:/etc/postfix/mtrk-command-filter.regexp
See mtrk-milter(8) and mtrk.conf(5).)text";

mtrk::Expected<mtrk::Config> reload(const mtrk::ProgramOptions& options) {
  mtrk::Expected<mtrk::Config> config =
      mtrk::load_program_config(options.config_path, mtrk::kDefaultConfigPath);
  if (config) {
    if (std::string complaint = mtrk::milter_complaint(*config); !complaint.empty()) {
      return mtrk::fail(mtrk::ErrorCode::not_allowed, std::move(complaint));
    }
  }
  return config;
}

// What a unit that serves no mail system yet is left out for; a folder that is there and unusable
// is the daemon's to complain about.
bool socket_folder_is_there(const mtrk::Config& config) {
  const mtrk::Expected<mtrk::MilterAddress> address =
      mtrk::parse_milter_address(config.milter.socket);
  if (!address || address->path.empty()) {
    return true;
  }
  const std::string folder = address->path.substr(0, address->path.rfind('/') + 1);
  if (::access(folder.c_str(), F_OK) == 0) {
    return true;
  }
  std::fprintf(stderr,
               "mtrk-milter: not started: there is no %s, the folder of milter.socket.\n"
               "mtrkctl setup postfix (or sendmail) attaches this to the mail system.\n",
               folder.c_str());
  return false;
}

int run(int argc, char** argv) {
  mtrk::ProgramOptions options;
  CLI::App app("Message tracking for an MTA: milter, log follower and store writer (RFC 3885).");
  app.footer(kExamples);
  std::string config_path;
  const CLI::Option* const config_option =
      app.add_option("--config", config_path, "the configuration")->type_name("FILE");
  app.add_flag("--check-config", options.check_config, "check the configuration and exit");
  bool check_socket = false;
  app.add_flag("--check-socket", check_socket,
               "is the folder of milter.socket there? Exit 0 or 1: ExecCondition= of the unit");
  app.set_version_flag("--version", mtrk::version_line("mtrk-milter"));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? mtrk::exit_code::ok : mtrk::exit_code::usage;
  }
  if (*config_option) {
    options.config_path = config_path;
  }
  mtrk::Config config;
  if (const auto code =
          mtrk::prepare_config("mtrk-milter", options, mtrk::milter_complaint, config)) {
    return *code;
  }
  if (check_socket) {
    return socket_folder_is_there(config) ? mtrk::exit_code::ok : 1;
  }
  mtrk::log::open(mtrk::log::Sink::standard_error, "mtrk-milter", mtrk::log::Level::info);
  return mtrk::run_milter_daemon(config, [&options] { return reload(options); });
}

}  // namespace

int main(int argc, char** argv) {
  mtrk::open_standard_descriptors();
  mtrk::forbid_dumps();
  int code = mtrk::exit_code::software;
  try {
    code = run(argc, argv);
  } catch (const mtrk::store::StoreUnusable& error) {
    mtrk::log::error("", {{"store", "unusable"}, {"error", error.what()}});
    code = error.exit_code();
  } catch (const std::exception& error) {
    mtrk::log::error("", {{"error", error.what()}});
  }
  return mtrk::finish_output("mtrk-milter", code);
}
