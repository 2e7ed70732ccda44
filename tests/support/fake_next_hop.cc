// A next hop for tests and the demo: an SMTP server on 127.0.0.1, or ADDRESS, that accepts,
// refuses or defers by the first letters of the local part, and writes down what it was sent.
//
//   fake_next_hop --port PORT --log FILE [--address ADDRESS] [--no-dsn] [--mtrk] [--refuses-mtrk]
//                 [--dies-at PREFIX] [--greeting TEXT] [--lmtp] [--unix PATH] [--verdicts FILE]
//
//   b5...@  550 5.1.1 at RCPT          t4...@  451 4.2.1 at RCPT
//   d5...@  554 5.7.1 at end of data   d4...@  451 4.3.0 at end of data   (every recipient with
//   them)
//   w4N-...@  451 4.2.2 at RCPT until N seconds since 1970 have passed, then accepted
//   everything else is accepted
//
// With --mtrk the keyword has a parameter, which has to be tolerated (MTRK-2-03). With
// --refuses-mtrk it announces MTRK and answers 501 to MAIL that has it.
//
// With --lmtp it speaks LMTP, so that each recipient's letters decide for that one alone; with
// --unix it listens on a socket of that name instead of a port.
//
// With --dies-at the connection ends, without an answer, at the first line that begins with PREFIX,
// also within a message.
//
// With --verdicts each verdict on a recipient is a line of that file, written before it is given:
// the envelope id as it came ("-" without), the recipient, the first two words of the reply
// ("250 2.0.0"), and "mtrk" if MAIL had MTRK, else "-"; separated by tabs, with the microseconds
// since 1970 in front.
//
// The log has one line per command received and "accepted N" per message. One process per
// connection: no state is shared but the log, which is written a line at a time with O_APPEND.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Options {
  std::uint16_t port = 0;
  std::string address = "127.0.0.1";
  std::string greeting = "220 next-hop.example.test ESMTP";
  std::string log;
  bool dsn = true;
  bool mtrk = false;
  bool refuses_mtrk = false;
  bool lmtp = false;
  std::string path;
  std::string dies_at;
  std::string verdicts;
};

constexpr char kAccepted[] = "250 2.0.0 Ok: queued as ";

class Session {
 public:
  Session(int socket, int log, int verdicts, const Options& options)
      : socket_(socket), log_(log), verdicts_(verdicts), options_(options) {}

  void run() {
    reply(options_.greeting);
    std::string line;
    while (read_line(line)) {
      note(line);
      const std::string verb = upper(line.substr(0, line.find(' ')));
      if (verb == "QUIT") {
        reply("221 2.0.0 Bye");
        return;
      }
      answer(verb, line);
    }
  }

 private:
  void answer(std::string_view verb, const std::string& line) {
    if ((verb == "LHLO") != options_.lmtp && (verb == "LHLO" || verb == "EHLO" || verb == "HELO")) {
      reply("500 5.5.1 Another protocol is spoken here");
    } else if (verb == "EHLO" || verb == "HELO" || verb == "LHLO") {
      reply(std::string("250-next-hop.example.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n") +
            (options_.dsn ? "250-DSN\r\n" : "") +
            (options_.mtrk ? "250-MTRK x-of-tomorrow=1\r\n" : "") + "250 ENHANCEDSTATUSCODES");
    } else if (verb == "MAIL" && options_.refuses_mtrk && line.find(" MTRK=") != line.npos) {
      reply("501 5.5.2 Invalid MTRK");
    } else if (verb == "MAIL") {
      answers_.assign(options_.lmtp ? 0 : 1, kAccepted);
      recipients_.clear();
      envelope_id_ = word(line, " ENVID=");
      with_mtrk_ = !word(line, " MTRK=").empty();
      reply("250 2.1.0 Ok");
    } else if (verb == "RCPT") {
      reply(recipient_reply(line));
    } else if (verb == "DATA" && answers_.empty()) {
      reply("503 5.5.1 No valid recipients");
    } else if (verb == "DATA") {
      reply("354 End data with <CR><LF>.<CR><LF>");
      read_message();
    } else {
      reply("250 2.0.0 Ok");  // RSET, NOOP
    }
  }

  std::string recipient_reply(const std::string& line) {
    const std::size_t bracket = line.find('<');
    const std::string recipient =
        bracket == std::string::npos ? "" : line.substr(bracket + 1, line.find('>') - bracket - 1);
    const std::string_view rule = std::string_view(recipient).substr(0, 2);
    if (rule == "b5") {
      return judged(recipient, "550 5.1.1 No such user here");
    }
    if (rule == "t4") {
      return judged(recipient, "451 4.2.1 Mailbox busy, try again later");
    }
    if (rule == "w4" && std::strtoll(recipient.c_str() + 2, nullptr, 10) > std::time(nullptr)) {
      return judged(recipient, "451 4.2.2 Mailbox full, try again later");
    }
    recipients_.push_back(recipient);
    const std::string verdict = rule == "d5"   ? "554 5.7.1 Content refused"
                                : rule == "d4" ? "451 4.3.0 Cannot store it now"
                                               : kAccepted;
    if (options_.lmtp) {
      answers_.push_back(verdict);
    } else if (verdict != kAccepted) {
      answers_.assign(1, verdict);
    }
    return "250 2.1.5 Ok";
  }

  void read_message() {
    std::string line;
    while (read_line(line)) {
      if (line == ".") {
        for (std::size_t i = 0; i < recipients_.size(); ++i) {
          judged(recipients_[i], answers_[options_.lmtp ? i : 0]);
        }
        for (const std::string& answer : answers_) {
          const bool accepted = answer == kAccepted;
          const std::string id = std::to_string(::getpid()) + "." + std::to_string(++messages_);
          if (accepted) {
            note("accepted " + id);
          }
          reply(accepted ? answer + id : answer);
        }
        answers_.clear();
        return;
      }
    }
  }

  bool read_line(std::string& line) {
    for (;;) {
      const std::size_t end = buffer_.find('\n');
      if (end != std::string::npos) {
        line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (!line.empty() && line.back() == '\r') {
          line.pop_back();
        }
        if (!options_.dies_at.empty() && line.rfind(options_.dies_at, 0) == 0) {
          ::_exit(0);
        }
        return true;
      }
      char chunk[4096];
      const ssize_t got = ::read(socket_, chunk, sizeof chunk);
      if (got <= 0) {
        return false;
      }
      buffer_.append(chunk, static_cast<std::size_t>(got));
    }
  }

  void reply(std::string text) const { write_all(socket_, text.append("\r\n")); }
  void note(std::string text) const { write_all(log_, text.append("\n")); }

  // Notes the verdict, and returns it.
  std::string judged(const std::string& recipient, std::string verdict) const {
    if (verdicts_ >= 0) {
      const std::size_t code = verdict.find(' ', 4);
      timespec now{};
      ::clock_gettime(CLOCK_REALTIME, &now);
      write_all(verdicts_, std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1000) + '\t' +
                               (envelope_id_.empty() ? "-" : envelope_id_) + '\t' + recipient +
                               '\t' + verdict.substr(0, code) + '\t' + (with_mtrk_ ? "mtrk" : "-") +
                               '\n');
    }
    return verdict;
  }

  // What follows `name` in the line, to the next blank; "" without it.
  static std::string word(const std::string& line, std::string_view name) {
    const std::size_t found = line.find(name);
    if (found == std::string::npos) {
      return "";
    }
    const std::size_t begin = found + name.size();
    return line.substr(begin, line.find(' ', begin) - begin);
  }

  static void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::write(fd, text.data(), text.size());
      if (sent <= 0) {
        ::_exit(1);  // the peer went away
      }
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  static std::string upper(std::string text) {
    for (char& c : text) {
      c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return text;
  }

  int socket_;
  int log_;
  int verdicts_;  // -1 if nobody wants them
  const Options& options_;
  std::string buffer_;
  std::string envelope_id_;
  bool with_mtrk_ = false;
  std::vector<std::string> recipients_;  // that were accepted at RCPT
  std::vector<std::string> answers_;     // to the message
  int messages_ = 0;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int listen_on(const Options& options) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = ::htons(options.port);
  if (::inet_pton(AF_INET, options.address.c_str(), &address.sin_addr) != 1 ||
      ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 128) != 0) {
    fail("bind");
  }
  return listener;
}

int open_to_append(const std::string& path) {
  const int file =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) {
    fail(path.c_str());
  }
  return file;
}

int listen_on_path(const std::string& path) {
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ::unlink(path.c_str());
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 128) != 0) {
    fail(path.c_str());
  }
  return listener;
}

Options parse_arguments(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--no-dsn") {
      options.dsn = false;
    } else if (name == "--mtrk") {
      options.mtrk = true;
    } else if (name == "--refuses-mtrk") {
      options.mtrk = options.refuses_mtrk = true;
    } else if (name == "--port" && i + 1 < argc) {
      options.port = static_cast<std::uint16_t>(std::strtoul(argv[++i], nullptr, 10));
    } else if (name == "--log" && i + 1 < argc) {
      options.log = argv[++i];
    } else if (name == "--address" && i + 1 < argc) {
      options.address = argv[++i];
    } else if (name == "--lmtp") {
      options.lmtp = true;
    } else if (name == "--unix" && i + 1 < argc) {
      options.path = argv[++i];
    } else if (name == "--verdicts" && i + 1 < argc) {
      options.verdicts = argv[++i];
    } else if (name == "--greeting" && i + 1 < argc) {
      options.greeting = argv[++i];
    } else if (name == "--dies-at" && i + 1 < argc) {
      options.dies_at = argv[++i];
    }
  }
  if ((options.port == 0 && options.path.empty()) || options.log.empty()) {
    std::fputs(
        "usage: fake_next_hop --port PORT --log FILE [--address ADDRESS] [--no-dsn] [--mtrk] "
        "[--refuses-mtrk] [--dies-at PREFIX] [--greeting TEXT] [--lmtp] [--unix PATH] "
        "[--verdicts FILE]\n",
        stderr);
    std::exit(64);
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse_arguments(argc, argv);
  std::signal(SIGCHLD, SIG_IGN);  // no zombies
  std::signal(SIGPIPE, SIG_IGN);
  const int log = open_to_append(options.log);
  const int verdicts = options.verdicts.empty() ? -1 : open_to_append(options.verdicts);
  const int listener = options.path.empty() ? listen_on(options) : listen_on_path(options.path);
  for (;;) {
    const int socket = ::accept(listener, nullptr, nullptr);
    if (socket < 0) {
      continue;
    }
    if (::fork() == 0) {
      ::close(listener);
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // a session ends with the server
      Session(socket, log, verdicts, options).run();
      ::_exit(0);
    }
    ::close(socket);
  }
}
