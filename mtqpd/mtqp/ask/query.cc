#include "mtqpd/mtqp/ask/query.h"

#include "common/base/ascii.h"
#include "common/base/unique_fd.h"
#include "common/base/wipe.h"
#include "common/mtqp/uri.h"
#include "mtqpd/mtqp/base/secret.h"
#include "mtqpd/mtqp/send/sent_file.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <iostream>

namespace mtrk::cli {
namespace {

constexpr std::streamsize kMaxUriLine = 4096;

Expected<Query> query_from_uri(std::string_view text) {
  Expected<mtqp::TrackUri> uri = mtqp::parse_track_uri(trim(text));
  if (!uri) {
    return Unexpected(std::move(uri.error()));
  }
  return Query{
      {std::move(uri->host), uri->port}, std::move(uri->envelope_id), std::move(uri->secret)};
}

Expected<Query> query_from_stdin() {
  std::string line(kMaxUriLine, '\0');
  std::cin.getline(line.data(), kMaxUriLine);  // a longer line is cut, and then it is no URI
  line.resize(line.find('\0'));
  if (!line.empty() && line.back() == '\r') {
    line.pop_back();
  }
  Expected<Query> query = query_from_uri(line);
  wipe(line);
  return query;
}

Expected<Query> query_from_sent_mail(const std::string& name) {
  std::vector<SentRecord> records = read_sent_records(sent_file_path());
  const Expected<const SentRecord*> record = find_sent(records, name);
  Expected<Query> query =
      record ? query_from_uri((*record)->uri) : Expected<Query>(Unexpected(record.error()));
  wipe_records(records);
  return query;
}

Expected<Query> query_from_parts(const TrackOptions& options) {
  Expected<mtqp::HostPort> server = mtqp::parse_host_port(options.server);
  if (!server) {
    return fail(ErrorCode::syntax, "--server: " + server.error().detail);
  }
  Expected<EnvelopeId> envelope_id = EnvelopeId::parse_xtext(options.target);
  if (!envelope_id) {
    return fail(ErrorCode::syntax, "the ENVID is malformed: " + envelope_id.error().detail);
  }
  Expected<TrackingSecret> secret = !options.secret_file.empty()
                                        ? read_secret_file(options.secret_file)
                                    : options.secret_stdin ? read_secret(std::cin)
                                                           : take_secret_from_environment();
  if (!secret) {
    return Unexpected(std::move(secret.error()));
  }
  return Query{
      {std::move(server->host), server->port}, std::move(*envelope_id), std::move(*secret)};
}

}  // namespace

Expected<Query> query_of(const TrackOptions& options) {
  const bool is_uri = istarts_with(options.target, "mtqp:");
  if (!options.server.empty() && !is_uri && options.target != "-") {
    return query_from_parts(options);
  }
  if (!options.server.empty() || !options.secret_file.empty() || options.secret_stdin) {
    return fail(ErrorCode::syntax,
                is_uri || options.target == "-"
                    ? "a URI names server and secret itself"
                    : "an ENVID needs --server HOST; sent mail has its secret already");
  }
  return is_uri                  ? query_from_uri(options.target)
         : options.target == "-" ? query_from_stdin()
                                 : query_from_sent_mail(options.target);
}

bool confirmed(const Query& query) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  const std::string question = fmt::format("Ask {} what became of message {}? [y/N] ",
                                           escape_for_people(to_string(query.server), 300),
                                           escape_for_people(query.envelope_id.decoded(), 120));
  if (!terminal || ::write(terminal.get(), question.data(), question.size()) < 0) {
    return false;
  }
  char answer = '\0';
  return ::read(terminal.get(), &answer, 1) == 1 && to_lower(answer) == 'y';
}

}  // namespace mtrk::cli
