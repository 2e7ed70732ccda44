#include "mtqpd/mtqp/send/send.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/line_reader.h"
#include "common/base/print_error.h"
#include "common/base/wipe.h"
#include "mtqpd/mtqp/base/dialogue.h"
#include "mtqpd/mtqp/base/network.h"
#include "mtqpd/mtqp/base/tls.h"
#include "mtqpd/mtqp/send/credentials.h"
#include "mtqpd/mtqp/send/identity.h"
#include "mtqpd/mtqp/send/message.h"
#include "mtqpd/mtqp/send/sent_file.h"
#include "mtqpd/mtqp/send/submit.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace mtrk::cli {
namespace {

constexpr int kExitSomeRefused = 2;
constexpr std::size_t kReadAtOnce = std::size_t{64} << 10;

using Outcome = tl::expected<Submitted, SubmitFailure>;

// This is larger than mail servers accept, and small enough for memory.
constexpr std::size_t kLongestMessage = std::size_t{100} << 20;

// Returns the error too_long, or not_allowed if the input cannot be read.
Expected<std::string> read_input(const std::string& file) {
  const std::string path = file.empty() ? "-" : file;
  const UniqueFd input = open_input(path);
  std::string text;
  while (input) {
    const std::size_t before = text.size();
    text.resize(before + kReadAtOnce);
    const ssize_t n = ::read(input.get(), text.data() + before, kReadAtOnce);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n == 0) {
      return text;
    }
    if (n < 0 && errno != EINTR) {
      break;
    }
    if (text.size() > kLongestMessage) {
      return fail(ErrorCode::too_long, path + ": a message of more than 100 MiB");
    }
  }
  return fail(ErrorCode::not_allowed, path + ": " + std::generic_category().message(errno));
}

int exit_code_for(SubmitFailure::Kind kind) {
  switch (kind) {
    case SubmitFailure::Kind::network:
      return static_cast<int>(Trouble::network);
    case SubmitFailure::Kind::tls:
      return static_cast<int>(Trouble::tls);
    case SubmitFailure::Kind::protocol:
      return static_cast<int>(Trouble::protocol);
    case SubmitFailure::Kind::refused:
      return exit_code::unavailable;
    case SubmitFailure::Kind::deferred:
      break;
  }
  return exit_code::temp_fail;
}

void complain(const std::vector<RefusedRecipient>& refused) {
  for (const RefusedRecipient& one : refused) {
    print_error("mtqp: {} was refused: {}\n", one.recipient, escape_for_people(one.reply.text()));
  }
}

void print(const Submitted& done, const std::string& uri, bool json) {
  if (!json) {
    if (!uri.empty()) {
      fmt::print("{}\n", uri);
    }
    return;
  }
  boost::json::object object;
  object["v"] = 1;
  object["tracked"] = done.identity.has_value();
  object["carrier"] = std::string(smtp::to_string(done.carrier));
  if (done.identity) {
    object["envelope_id"] = done.identity->envelope_id.decoded();
    object["envid"] = done.identity->envelope_id.xtext();
    object["uri"] = uri;
  }
  object["tls"] = done.tls;
  object["accepted"] = boost::json::array(done.accepted.begin(), done.accepted.end());
  boost::json::array refused;
  for (const RefusedRecipient& one : done.refused) {
    refused.push_back(
        {{"recipient", one.recipient}, {"reply", escape_for_people(one.reply.text())}});
  }
  object["refused"] = std::move(refused);
  object["reply"] = escape_for_people(done.reply.text());
  fmt::print("{}\n", boost::json::serialize(object));
}

// Checks the command line, and returns everything but the callbacks and the TLS context.
Expected<Submission> parse_submission(const SendOptions& options, const Config& config) {
  Submission submission;
  Expected<mtqp::HostPort> server = mtqp::parse_host_port(options.smtp);
  if (!server) {
    return fail(ErrorCode::syntax, "--smtp: " + server.error().detail);
  }
  submission.host = std::move(server->host);
  submission.port = server->port;
  submission.helo = choose_host_name(options.host, config.hostname);
  if (const auto host = mtqp::parse_host_port(submission.helo); !host || host->port) {
    return fail(ErrorCode::syntax, "--host: a domain name is needed");
  }
  Expected<std::string> sender = smtp::check_path(options.from);
  if (!sender) {
    return fail(ErrorCode::syntax, "--from: " + sender.error().detail);
  }
  submission.sender = std::move(*sender);
  for (const std::string& recipient : options.to) {
    Expected<std::string> path = smtp::check_path(recipient);
    if (!path || path->empty()) {
      return fail(ErrorCode::syntax, "--to: " + (path ? "no address" : path.error().detail));
    }
    submission.recipients.push_back(std::move(*path));
  }
  submission.timeout = options.timeout;
  submission.untracked_ok = options.untracked_ok;
  submission.tls_name = options.tls.name;
  submission.tls = options.tls.use;
  submission.implicit_tls = options.tls.implicit;
  // TLS is opportunistic, as between mail servers, where it is only tried. A certificate has to be
  // good if TLS is required or a password is sent. The certifier that SMTP carries is no secret.
  submission.verify =
      !options.tls.insecure && (options.tls.use == mtqp::TlsUse::required || !options.user.empty());
  if (!options.user.empty()) {
    Expected<Credentials> login =
        read_credentials(options.user, submission.host, options.password_file);
    if (!login) {
      return Unexpected(std::move(login.error()));
    }
    submission.login.emplace(std::move(*login));
  }
  if (options.verbose) {
    submission.trace = print_dialogue;
  }
  return submission;
}

int report(Outcome& outcome, std::string& uri, bool json) {
  if (!outcome) {
    complain(outcome.error().refused);
    print_error("mtqp: {}\n", outcome.error().detail);
    return exit_code_for(outcome.error().kind);
  }
  complain(outcome->refused);
  if (!outcome->identity) {
    print_error("mtqp: sent without tracking: the server has neither MTRK nor DSN\n");
  }
  print(*outcome, uri, json);
  wipe(uri);
  return outcome->refused.empty() ? exit_code::ok : kExitSomeRefused;
}

}  // namespace

int run_send(const SendOptions& options, const Config& config) {
  Expected<Submission> submission = parse_submission(options, config);
  if (!submission) {
    return usage(submission.error().detail);
  }
  Expected<std::unique_ptr<net::DnsResolver>> resolver = make_resolver(options);
  if (!resolver) {
    return usage(resolver.error().detail);
  }
  const std::string tracker = options.tracker.empty()
                                  ? mtqp::format_host_port(submission->host, std::nullopt)
                                  : options.tracker;
  if (const auto parsed = mtqp::parse_host_port(tracker); !parsed) {
    return usage("--tracker: " + parsed.error().detail);
  }
  const std::string sent_file = sent_file_path();
  if (sent_file.empty()) {
    print_error("mtqp: neither $XDG_STATE_HOME nor $HOME is set: no place for the secret\n");
    return exit_code::cant_create;
  }
  const Expected<std::string> input = read_input(options.file);
  if (!input) {
    print_error("mtqp: {}\n", input.error().detail);
    return input.error().code == ErrorCode::too_long ? exit_code::data_error : exit_code::no_input;
  }
  LazyTlsContext tls(submission->verify ? net::Verify::peer : net::Verify::none,
                     options.tls.ca_file);
  submission->tls_context = [&]() -> net::asio::ssl::context& { return tls.get(); };
  submission->data = smtp::format_data(complete_message(
      *input, {options.from, options.to, make_message_id(submission->helo), current_time()}));
  std::string uri;
  submission->keep = [&](const Identity& identity, smtp::Carrier carrier) {
    uri = make_uri(tracker, "", identity).value();
    append_sent_record(sent_file,
                       {current_time(), identity.envelope_id.decoded(), uri, options.smtp,
                        std::string(smtp::to_string(carrier)), options.from, options.to});
  };
  try {
    Outcome outcome = run_to_end(submit(**resolver, *submission));
    return report(outcome, uri, options.json);
  } catch (const std::system_error& error) {  // the secret cannot be kept, so nothing was sent
    print_error("mtqp: {}\n", error.what());
    return exit_code::cant_create;
  }
}

}  // namespace mtrk::cli
