#include "mtqpd/mtqp/base/options.h"

#include "common/base/exit_code.h"
#include "common/base/print_error.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace mtrk::cli {
namespace {

constexpr std::uint32_t kMaxTimeout = 999'999'999;  // 1*9DIGIT, RFC 3885 §3.1

constexpr char kFooter[] =
    "\nExamples:\n"
    "  mtqp send --smtp mail.example.com --from me@example.com --to you@example.net letter.eml\n"
    "  mtqp list                         what was sent, each with a short name\n"
    "  mtqp track 7f3a                   what became of it, by its short name\n"
    "  mtqp watch last                   until the last one has arrived\n"
    "  mtqp track -                      by the URI that send printed, on standard input\n"
    "  mtqp check mail.example.com       does that server track?\n"
    "\nSee mtqp(1).";

void set_tls_mode(const std::string& mode, TlsOptions& tls) {
  tls.implicit = mode == "implicit";
  tls.use = mode == "require" || tls.implicit ? mtqp::TlsUse::required
            : mode == "no"                    ? mtqp::TlsUse::never
                                              : mtqp::TlsUse::if_offered;
}

void add_tls_options(CLI::App& command, const std::string& prefix, TlsOptions& tls) {
  command
      .add_option_function<std::string>(
          "--" + prefix, [&tls](const std::string& mode) { set_tls_mode(mode, tls); },
          "require, try (the default), no or implicit")
      ->check(CLI::IsMember({"require", "try", "no", "implicit"}))
      ->type_name("MODE");
  command.add_option("--" + prefix + "-ca", tls.ca_file, "PEM file of trusted certificates")
      ->type_name("FILE");
  command.add_option("--" + prefix + "-name", tls.name, "name wanted in the certificate")
      ->type_name("NAME");
  command.add_flag("--" + prefix + "-insecure", tls.insecure, "accept any certificate");
  if (prefix == "tls") {  // mail servers are not found by SRV
    command.add_flag("--tls-srv", tls.srv, "accept the name that an SRV record leads to");
  }
}

void add_look_up_options(CLI::App& command, LookUpOptions& options) {
  command.add_option("--resolve", options.resolve, "address to use for a host name")
      ->allow_extra_args(false)
      ->type_name("HOST=ADDRESS[:PORT]");
  command.add_option("--dns", options.dns, "DNS servers to ask (default: the system's)")
      ->type_name("ADDRESS[:PORT][,...]");
}

void add_response_timeout(CLI::App& command, std::uint32_t& timeout) {
  command.add_option("--timeout", timeout, "seconds to wait for each answer (120)")
      ->check(CLI::Range(120, 3600))  // MTQP-2.5-06
      ->type_name("SECONDS");
}

void add_verbose(CLI::App& command, bool& verbose) {
  command.add_flag("-v,--verbose", verbose, "show the dialogue on standard error");
}

void add_timeout(CLI::App& command, std::optional<std::uint32_t>& timeout) {
  command.add_option("--timeout", timeout, "seconds the servers should remember the message")
      ->check(CLI::Range(std::uint32_t{0}, kMaxTimeout))
      ->type_name("SECONDS");
}

CLI::App* add_new(CLI::App& app, NewOptions& options) {
  CLI::App* command = app.add_subcommand("new", "make an envelope id, a secret and their URI");
  command->add_option("--host", options.host, "host name in the envelope id (default: this host)");
  command->add_option("--tracker", options.tracker, "server of the URI (default: --host)")
      ->type_name("HOST[:PORT]");
  add_timeout(*command, options.timeout);
  command->add_flag("--json", options.json, "one JSON object");
  return command;
}

CLI::App* add_send(CLI::App& app, SendOptions& options) {
  CLI::App* command = app.add_subcommand("send", "submit a message so that it can be tracked");
  command->add_option("--smtp", options.smtp, "mail server; port 25 unless given")
      ->required()
      ->type_name("HOST[:PORT]");
  command->add_option("--from", options.from, "envelope sender; empty for none")
      ->required()
      ->type_name("ADDRESS");
  command->add_option("--to", options.to, "recipient; may be repeated")
      ->required()
      ->allow_extra_args(false)
      ->type_name("ADDRESS");
  command->add_option("--host", options.host,
                      "name of this host in EHLO and in the envelope id (default: its own)");
  command->add_option("--tracker", options.tracker, "server of the URI (default: that of --smtp)")
      ->type_name("HOST[:PORT]");
  add_timeout(*command, options.timeout);
  command->add_option("--user", options.user, "name to log in with (AUTH)")->type_name("NAME");
  command
      ->add_option("--password-file", options.password_file,
                   "file with the password (default: $MTQP_SMTP_PASSWORD, then ~/.netrc)")
      ->type_name("FILE")
      ->needs("--user");
  command->add_flag("--untracked-ok", options.untracked_ok,
                    "send even if the server has neither MTRK nor DSN");
  add_tls_options(*command, "smtp-tls", options.tls);
  add_look_up_options(*command, options);
  command->add_flag("--json", options.json, "one JSON object");
  add_verbose(*command, options.verbose);
  command->add_option("file", options.file, "the message (default: standard input)")
      ->type_name("FILE");
  return command;
}

CLI::App* add_list(CLI::App& app, ListOptions& options) {
  CLI::App* command = app.add_subcommand("list", "what send has sent, the latest first");
  command->add_option("-n,--count", options.count, "how many (20); 0 for all")->type_name("N");
  command->add_flag("--json", options.json, "one JSON object a line, without the secrets");
  return command;
}

// Adds what track, status and watch have in common.
CLI::App* add_query(CLI::App& app,
                    const std::string& name,
                    const std::string& about,
                    TrackOptions& options,
                    std::vector<std::string>& targets) {
  CLI::App* command = app.add_subcommand(name, about);
  command
      ->add_option("target", targets,
                   "a name of mtqp list, last, an mtqp: URI, - for a URI on standard input, or an "
                   "ENVID with --server")
      ->required()
      ->type_name("TARGET");
  command->add_option("--server", options.server, "server to ask about the ENVID")
      ->type_name("HOST[:PORT]");
  command->add_option("--secret-file", options.secret_file, "file with the secret in base64")
      ->type_name("FILE");
  command->add_flag("--secret-stdin", options.secret_stdin, "the secret is on standard input");
  command->add_flag_callback(
      "--no-follow", [&options] { options.follow = false; },
      "do not ask the servers an answer names");
  command->add_option("--max-hops", options.max_hops, "servers to ask at most (20)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{mtqp::kMaxHops}))
      ->type_name("N");
  command->add_option("--port", options.port, "port of the servers an answer names")
      ->check(CLI::Range(1, 65535))
      ->type_name("PORT");
  add_look_up_options(*command, options);
  add_response_timeout(*command, options.timeout);
  add_tls_options(*command, "tls", options.tls);
  command->add_flag("--confirm", options.confirm, "ask on the terminal before connecting");
  add_verbose(*command, options.verbose);
  return command;
}

void add_color(CLI::App& command, Color& color) {
  command
      .add_option_function<std::string>(
          "--color",
          [&color](const std::string& when) {
            color = when == "always"  ? Color::always
                    : when == "never" ? Color::never
                                      : Color::automatic;
          },
          "colours: auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN");
}

CLI::App* add_resolve(CLI::App& app, ResolveOptions& options) {
  CLI::App* command = app.add_subcommand("resolve", "where a host's tracking service is");
  command->add_option("host", options.host, "mail server")->required()->type_name("HOST[:PORT]");
  add_look_up_options(*command, options);
  command->add_flag("--json", options.json, "one JSON object");
  return command;
}

CLI::App* add_check(CLI::App& app, CheckOptions& options) {
  CLI::App* command = app.add_subcommand("check", "what a tracking server offers, and its TLS");
  command->add_option("host", options.host, "mail server")->required()->type_name("HOST[:PORT]");
  add_look_up_options(*command, options);
  add_response_timeout(*command, options.timeout);
  add_tls_options(*command, "tls", options.tls);
  command->add_flag("--json", options.json, "one JSON object");
  add_verbose(*command, options.verbose);
  return command;
}

// Holds all commands and the options that they fill.
struct Commands {
  explicit Commands(CLI::App& app)
      : make(add_new(app, new_options)),
        send(add_send(app, send_options)),
        list(add_list(app, list_options)),
        track(add_query(app, "track", "what became of a message", track_options, targets)),
        status(add_query(app, "status", "the same in one line", status_options, targets)),
        watch(add_query(app, "watch", "track until it is over", watch_options, targets)),
        resolve(add_resolve(app, resolve_options)),
        check(add_check(app, check_options)) {
    track->add_flag("--json", track_options.json, "one JSON object for each server asked");
    track->add_flag("--raw", track_options.raw, "the answers as received")->excludes("--json");
    add_color(*track, track_options.color);
    status->add_flag("--json", status_options.json, "one JSON object: the merged view");
    watch->add_flag("--json", watch_options.json, "the merged view, whenever it changes");
    watch->add_option("--interval", watch_options.interval, "seconds to the second look (10)")
        ->check(CLI::Range(1, 3600))
        ->type_name("SECONDS");
    watch->add_option("--limit", watch_options.limit, "seconds to watch at most")
        ->type_name("SECONDS");
    add_color(*watch, watch_options.color);
  }

  [[nodiscard]] bool takes_secrets() const {
    return track->parsed() || status->parsed() || watch->parsed();
  }

  NewOptions new_options;
  SendOptions send_options;
  ListOptions list_options;
  TrackOptions track_options;
  StatusOptions status_options;
  WatchOptions watch_options;
  ResolveOptions resolve_options;
  CheckOptions check_options;
  std::vector<std::string> targets;
  CLI::App* make;
  CLI::App* send;
  CLI::App* list;
  CLI::App* track;
  CLI::App* status;
  CLI::App* watch;
  CLI::App* resolve;
  CLI::App* check;
};

void take(Commands& commands, CommandLine& line) {
  if (commands.make->parsed()) {
    line.command = std::move(commands.new_options);
  } else if (commands.send->parsed()) {
    line.command = std::move(commands.send_options);
  } else if (commands.list->parsed()) {
    line.command = commands.list_options;
  } else if (commands.track->parsed()) {
    line.command = std::move(commands.track_options);
  } else if (commands.status->parsed()) {
    line.command = std::move(commands.status_options);
  } else if (commands.watch->parsed()) {
    line.command = std::move(commands.watch_options);
  } else if (commands.resolve->parsed()) {
    line.command = std::move(commands.resolve_options);
  } else if (commands.check->parsed()) {
    line.command = std::move(commands.check_options);
  }
}

}  // namespace

int usage(const std::string& message) {
  print_error("mtqp: {}\n", message);
  return exit_code::usage;
}

std::optional<int> parse_command_line(const std::vector<std::string>& arguments,
                                      CommandLine& line) {
  CLI::App app("Asks mail systems what became of a message (RFC 3885 to 3888).", "mtqp");
  app.footer(kFooter);
  app.set_version_flag("--version", version_line("mtqp"));
  app.add_option("--config", line.program.config_path, "configuration file")->type_name("FILE");
  app.add_flag("--check-config", line.program.check_config, "check the configuration and end");
  app.require_subcommand(0, 1);
  Commands commands(app);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& shown) {
    return app.exit(shown);
  } catch (const CLI::ParseError& error) {
    // An argument that does not fit may be a secret, so the message must not repeat it.
    const bool quotes = commands.takes_secrets() && error.get_name() == "ExtrasError";
    return usage(quotes ? "arguments that were not expected" : error.what());
  }
  if (commands.takes_secrets()) {
    if (commands.targets.size() != 1) {
      return usage(
          "a secret does not belong on the command line, where ps shows it: "
          "use --secret-file, --secret-stdin or $MTQP_SECRET");
    }
    for (TrackOptions* options :
         {&commands.track_options, static_cast<TrackOptions*>(&commands.status_options),
          static_cast<TrackOptions*>(&commands.watch_options)}) {
      options->target = commands.targets.front();
    }
  }
  take(commands, line);
  if (std::holds_alternative<std::monostate>(line.command) && !line.program.check_config) {
    return usage(
        "one of send, list, track, status, watch, check, resolve and new is needed; "
        "see mtqp --help");
  }
  return std::nullopt;
}

}  // namespace mtrk::cli
