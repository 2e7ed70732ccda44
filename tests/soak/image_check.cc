#include "tests/soak/image_check.h"

#include "common/store/tracking_reader.h"
#include "common/store/tracking_writer.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <stdexcept>

namespace mtrk::soak {
namespace {

// SHA-1 of the octets 00 01 .. 0f, which all messages of the tests have.
constexpr char kCertifier[] = "VheLhqV/rCKJmplkGFwsyW59pYk";
constexpr std::uint64_t kMapSize = std::uint64_t{256} << 20;

TimePoint now() {
  return std::chrono::floor<Seconds>(std::chrono::system_clock::now());
}

EnvelopeId envelope_id(const std::string& decoded) {
  return EnvelopeId::from_decoded(decoded).value();
}

void write_one_more(const std::string& folder, const TrackingCertifier& certifier) {
  store::WriterOptions options;
  options.path = folder;
  options.max_size = kMapSize;
  store::TrackingWriter writer(options, store::Create::never);
  const TypedAddress one{"rfc822", "one@x.example"};
  TrackedMessage message;
  message.arrival = now();
  message.expires_at = now() + std::chrono::hours(1);
  message.recipients.push_back(Recipient{one, one, Opaque{}});
  writer.begin();
  if (writer.put_message(envelope_id("one-more@x.example"), certifier, message) !=
      store::Kept::stored) {
    throw std::runtime_error("no further message is taken");
  }
  writer.commit();
}

bool answers_for(const store::TrackingReader& reader,
                 const TrackingCertifier& certifier,
                 const ToldMessage& message) {
  const auto found = reader.find(envelope_id(message.envelope_id), certifier, now());
  const auto names_it = [&](const Recipient& recipient) {
    return recipient.final.value == message.recipient;
  };
  return std::any_of(
      found.messages.begin(), found.messages.end(), [&](const TrackedMessage& transaction) {
        return std::any_of(transaction.recipients.begin(), transaction.recipients.end(), names_it);
      });
}

std::vector<ToldMessage> missing(const std::string& folder,
                                 const std::vector<ToldMessage>& acknowledged,
                                 const TrackingCertifier& certifier) {
  const store::TrackingReader reader(folder);
  if (reader.stats().corrupt != 0) {
    throw std::runtime_error("rows are corrupt");
  }
  std::vector<ToldMessage> missing;
  std::copy_if(
      acknowledged.begin(), acknowledged.end(), std::back_inserter(missing),
      [&](const ToldMessage& message) { return !answers_for(reader, certifier, message); });
  return missing;
}

std::string look(const std::string& folder,
                 const std::vector<ToldMessage>& acknowledged,
                 const std::string& recover) {
  const TrackingCertifier certifier = TrackingCertifier::parse_base64(kCertifier).value();
  write_one_more(folder, certifier);
  std::vector<ToldMessage> lost = missing(folder, acknowledged, certifier);
  if (!lost.empty()) {
    // This process has no thread but this one.
    if (std::system(recover.c_str()) != 0) {  // NOLINT(concurrency-mt-unsafe)
      return "the mail log cannot be read into it";
    }
    lost = missing(folder, lost, certifier);
  }
  return lost.empty() ? ""
                      : std::to_string(lost.size()) + " lost, the first: " + lost[0].envelope_id +
                            " for " + lost[0].recipient;
}

std::string read_to_end(int pipe) {
  std::string text;
  std::array<char, 1024> chunk;
  for (ssize_t got = 0; (got = ::read(pipe, chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

std::string fault_of_store(const std::string& folder,
                           const std::vector<ToldMessage>& acknowledged,
                           const std::string& recover) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) {
    return "no pipe";
  }
  const pid_t child = ::fork();
  if (child == 0) {
    std::string fault;
    try {
      fault = look(folder, acknowledged, recover);
    } catch (const std::exception& error) {
      fault = std::string("does not open: ") + error.what();
    }
    ::_exit(::write(pipe[1], fault.data(), fault.size()) == static_cast<ssize_t>(fault.size()) ? 0
                                                                                               : 1);
  }
  ::close(pipe[1]);
  std::string fault = read_to_end(pipe[0]);
  ::close(pipe[0]);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) {
    return "no process";
  }
  if (WIFSIGNALED(status)) {
    return "ended by signal " + std::to_string(WTERMSIG(status));
  }
  return WEXITSTATUS(status) == 0 ? fault : "ended with " + std::to_string(WEXITSTATUS(status));
}

}  // namespace mtrk::soak
