#include "mtqpd/mtqp_options.h"

#include "common/base/exit_code.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

namespace mtrk::cli {
namespace {

constexpr std::uint32_t kMaxTimeout = 999'999'999;  // 1*9DIGIT, RFC 3885 §3.1

constexpr char kFooter[] =
    "\nExamples:\n"
    "  mtqp send --smtp mail.example.com:25 --from me@example.com --to you@example.net letter.eml\n"
    "  mtqp track -                      the URI that send printed, on standard input\n"
    "  mtqp track --server mail.example.com --secret-file secret 12345-20010101@example.com\n"
    "\nSee mtqp(1).";

const std::map<std::string, mtqp::TlsUse> kTlsUses{{"require", mtqp::TlsUse::required},
                                                   {"try", mtqp::TlsUse::if_offered},
                                                   {"no", mtqp::TlsUse::never}};
const std::map<std::string, Color> kColors{
    {"auto", Color::automatic}, {"always", Color::always}, {"never", Color::never}};

void add_tls_options(CLI::App& command, const std::string& prefix, TlsOptions& tls) {
  command.add_option("--" + prefix, tls.use, "require, try (the default) or no")
      ->transform(CLI::Transformer(kTlsUses))
      ->type_name("MODE");
  command.add_option("--" + prefix + "-ca", tls.ca_file, "PEM file of trusted certificates")
      ->type_name("FILE");
  command.add_option("--" + prefix + "-name", tls.name, "name wanted in the certificate")
      ->type_name("NAME");
  command.add_flag("--" + prefix + "-insecure", tls.insecure, "accept any certificate");
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
  command->add_flag("--untracked-ok", options.untracked_ok,
                    "send even if the server has neither MTRK nor DSN");
  add_tls_options(*command, "smtp-tls", options.tls);
  command->add_flag("--json", options.json, "one JSON object");
  command->add_flag("-v,--verbose", options.verbose, "show the dialogue on standard error");
  command->add_option("file", options.file, "the message (default: standard input)")
      ->type_name("FILE");
  return command;
}

CLI::App* add_track(CLI::App& app, TrackOptions& options, std::vector<std::string>& targets) {
  CLI::App* command = app.add_subcommand("track", "ask what became of a message");
  command->add_option("target", targets, "mtqp: URI, - for a URI on standard input, or an ENVID")
      ->required()
      ->type_name("URI|-|ENVID");
  command->add_option("--server", options.server, "server to ask about the ENVID")
      ->type_name("HOST[:PORT]");
  command->add_option("--secret-file", options.secret_file, "file with the secret in base64")
      ->type_name("FILE");
  command->add_flag("--secret-stdin", options.secret_stdin, "the secret is on standard input");
  command->add_flag("!--no-follow", options.follow, "do not ask the servers an answer names");
  command->add_option("--max-hops", options.max_hops, "servers to ask at most (20)")
      ->check(CLI::Range(std::size_t{1}, std::size_t{mtqp::kMaxHops}))
      ->type_name("N");
  command->add_option("--port", options.port, "port of the servers an answer names (1038)")
      ->check(CLI::Range(1, 65535))
      ->type_name("PORT");
  command->add_option("--resolve", options.resolve, "address to use for a host name")
      ->allow_extra_args(false)
      ->type_name("HOST=ADDRESS[:PORT]");
  command->add_option("--timeout", options.timeout, "seconds to wait for each answer (120)")
      ->check(CLI::Range(120, 3600))  // MTQP-2.5-06
      ->type_name("SECONDS");
  add_tls_options(*command, "tls", options.tls);
  command->add_flag("--json", options.json, "one JSON object for each server asked");
  command->add_flag("--raw", options.raw, "the answers as received")->excludes("--json");
  command->add_option("--color", options.color, "auto, always or never")
      ->transform(CLI::Transformer(kColors))
      ->type_name("WHEN");
  command->add_flag("-v,--verbose", options.verbose, "show the dialogue on standard error");
  return command;
}

int usage(const std::string& message) {
  fmt::print(stderr, "mtqp: {}\n", message);
  return exit_code::usage;
}

}  // namespace

std::optional<int> parse_command_line(const std::vector<std::string>& arguments,
                                      CommandLine& line) {
  CLI::App app("Asks mail systems what became of a message (RFC 3885 to 3888).", "mtqp");
  app.footer(kFooter);
  app.set_version_flag("--version", version_line("mtqp"));
  app.add_option("--config", line.program.config_path, "configuration file")->type_name("FILE");
  app.add_flag("--check-config", line.program.check_config, "check the configuration and end");
  app.require_subcommand(0, 1);
  NewOptions make;
  SendOptions send;
  TrackOptions track;
  std::vector<std::string> targets;
  const CLI::App* make_command = add_new(app, make);
  const CLI::App* send_command = add_send(app, send);
  const CLI::App* track_command = add_track(app, track, targets);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& shown) {
    return app.exit(shown);
  } catch (const CLI::ParseError& error) {
    // An argument of `track` that does not fit may be a secret: do not repeat it.
    const bool quotes = track_command->parsed() && error.get_name() == "ExtrasError";
    return usage(quotes ? "arguments that were not expected" : error.what());
  }
  if (make_command->parsed()) {
    line.command = std::move(make);
  } else if (send_command->parsed()) {
    line.command = std::move(send);
  } else if (track_command->parsed()) {
    if (targets.size() != 1) {
      return usage(
          "a secret does not belong on the command line, where ps shows it: "
          "use --secret-file, --secret-stdin or $MTQP_SECRET");
    }
    track.target = std::move(targets.front());
    line.command = std::move(track);
  } else if (!line.program.check_config) {
    return usage("one of new, send or track is needed; see mtqp --help");
  }
  return std::nullopt;
}

}  // namespace mtrk::cli
