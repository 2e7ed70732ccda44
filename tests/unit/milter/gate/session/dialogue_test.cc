// Whole dialogues through the gate as text files, tests/data/gate/*.smtp; README.md there describes
// the format. Each is played in whole lines, and cut at every octet.
#include "milter/gate/session/inbound.h"
#include "milter/gate/session/outbound.h"
#include "milter/gate/session/routed.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace mtrk::smtp {
namespace {

using Effect = ProxySession::Effect;

std::string unescape(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'r':
        result += '\r';
        break;
      case 'n':
        result += '\n';
        break;
      case '0':
        result += '\0';
        break;
      case 't':
        result += '\t';
        break;
      case 'v':
        result += '\v';
        break;
      case 'f':
        result += '\f';
        break;
      case 'x': {  // \x100a: the character a, 100 times
        result.append(static_cast<std::size_t>(std::stoul(text.substr(i + 1))), 'a');
        while (i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i + 1])) != 0) {
          ++i;
        }
        break;
      }
      default:
        result += text[i];
    }
  }
  return result;
}

std::unique_ptr<ProxySession> make_session(const std::string& line) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  const bool inbound = word == "inbound";
  std::set<std::string> flags;
  while (words >> word) {
    flags.insert(word);
  }
  ProxySession::Settings settings{"gate.example", TlsUse::none};
  if (flags.count("upstream-tls=required") > 0) {
    settings.upstream_tls = TlsUse::required;
  } else if (flags.count("upstream-tls=opportunistic") > 0) {
    settings.upstream_tls = TlsUse::opportunistic;
  }
  settings.lmtp = line.starts_with("lmtp");
  if (line.starts_with("routed")) {
    settings.late = true;
    auto routes = std::make_shared<GateRoutes>(GateRoute{"", 0, settings.upstream_tls});
    routes->add("hub.example", {"smart.example", 2525, TlsUse::none});
    routes->add(".hub.example", {"smart.example", 2525, TlsUse::none});
    routes->add("safe.example", {"", 0, TlsUse::required});
    return std::make_unique<GateRoutedSession>(settings, std::move(routes));
  }
  if (!inbound) {
    auto session = std::make_unique<GateOutboundSession>(settings);
    session->set_next_hop({false, "mx.example.net", "192.0.2.25", "25"});
    return session;
  }
  GateInboundSession::Options options;
  options.settings = settings;
  options.identify = flags.count("proxy") > 0     ? GateInboundSession::Identify::proxy
                     : flags.count("xclient") > 0 ? GateInboundSession::Identify::xclient
                                                  : GateInboundSession::Identify::none;
  options.tls_offered = flags.count("tls") > 0;
  options.auth_in_clear = flags.count("auth-in-clear") > 0;
  ClientIdentity client{{std::string("\xc0\0\2\7", 4), 4711},
                        {std::string("\xc0\0\2\1", 4), 25},
                        "192.0.2.7",
                        "client.example.org",
                        false};
  return std::make_unique<GateInboundSession>(options, client);
}

class Player {
 public:
  // `piece`: how many octets are fed at once; 0 = all of a line.
  Player(std::string name, std::size_t piece) : name_(std::move(name)), piece_(piece) {}

  void play(const std::vector<std::string>& lines) {
    session_ = make_session(lines.at(0));
    session_->start();
    for (number_ = 1; number_ < lines.size() && !testing::Test::HasFatalFailure(); ++number_) {
      play_line(lines[number_]);
    }
    expect_silence();
  }

 private:
  void play_line(const std::string& line) {
    SCOPED_TRACE(name_ + ":" + std::to_string(number_ + 1) + " in pieces of " +
                 std::to_string(piece_) + ": " + line);
    if (line.empty() || line[0] == '#') {
      return;
    }
    const std::string text = line.size() > 3 ? line.substr(3) : "";
    const std::string octets = line[1] == ':' ? unescape(text) + "\r\n" : unescape(text);
    switch (line[0]) {
      case 'C':
      case 'S':
        expect_silence();
        feed(octets, line[0] == 'C');
        return;
      case 'c':
        expect(session_->to_client(), octets);
        return;
      case 's':
        expect(session_->to_upstream(), octets);
        return;
      case '>':
        perform(line.substr(2));
        return;
      case '!':
        happen(line.substr(2));
        return;
      default:
        FAIL() << "not a line of a dialogue";
    }
  }

  void feed(const std::string& octets, bool by_client) {
    const std::size_t step = piece_ == 0 ? octets.size() : piece_;
    for (std::size_t at = 0; at < octets.size(); at += step) {
      const std::string_view piece = std::string_view(octets).substr(at, step);
      if (by_client) {
        session_->from_client(piece);
      } else {
        session_->from_upstream(piece);
      }
    }
  }

  static void expect(std::string& out, const std::string& octets) {
    ASSERT_EQ(out.substr(0, octets.size()), octets);
    out.erase(0, octets.size());
  }

  void expect_silence() {
    ASSERT_EQ(session_->to_client(), "") << name_ << " before line " << number_ + 1;
    ASSERT_EQ(session_->to_upstream(), "") << name_ << " before line " << number_ + 1;
  }

  void perform(const std::string& what) {
    if (what == "upstream-tls" || what == "upstream-tls failed") {
      ASSERT_TRUE(session_->take_upstream_tls());
      what == "upstream-tls" ? session_->upstream_tls_started()
                             : session_->upstream_failed("the handshake failed");
      return;
    }
    const std::optional<Effect> effect = session_->take_effect();
    ASSERT_TRUE(effect);
    if (what.starts_with("connect to ")) {
      ASSERT_EQ(*effect, Effect::connect_upstream);
      const auto& routed = dynamic_cast<const GateRoutedSession&>(*session_);
      const bool fails = what.ends_with(" failed");
      ASSERT_EQ("connect to " + routed.place().host + (fails ? " failed" : ""), what);
      fails ? session_->upstream_failed("connection refused") : session_->upstream_connected();
    } else if (what.starts_with("choose ")) {
      ASSERT_EQ(*effect, Effect::choose_next_hop);
      choose(what.substr(7));
    } else if (what == "connect") {
      ASSERT_EQ(*effect, Effect::connect_upstream);
      session_->upstream_connected();
    } else if (what == "connect failed") {
      ASSERT_EQ(*effect, Effect::connect_upstream);
      session_->upstream_failed("connection refused");
    } else if (what == "offer-tls") {
      ASSERT_EQ(*effect, Effect::offer_tls);
      session_->accept_tls();
    } else if (what == "offer-tls refused") {
      ASSERT_EQ(*effect, Effect::offer_tls);
      session_->refuse_tls();
    } else if (what == "start-tls") {
      ASSERT_EQ(*effect, Effect::start_tls);
      session_->client_tls_started();
    } else if (what.starts_with("look-up")) {
      ASSERT_EQ(*effect, Effect::look_up);
      answer(what.substr(7));
    } else if (what == "close") {
      ASSERT_EQ(*effect, Effect::close);
      ASSERT_TRUE(session_->closing());
    } else {
      FAIL() << "unknown: " << what;
    }
  }

  // "r.example: mx1.r.example=192.0.2.25 …", or "r.example! 556 5.1.10 …".
  void choose(const std::string& given) {
    auto& routed = dynamic_cast<GateRoutedSession&>(*session_);
    const std::size_t end = given.find_first_of(":!");
    ASSERT_EQ(routed.domain(), given.substr(0, end));
    if (given.at(end) == '!') {
      routed.take_no_place(given.substr(end + 2));
      return;
    }
    std::vector<GateRoutedSession::Place> places;
    std::istringstream words(given.substr(end + 1));
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      places.push_back({word.substr(0, equals), word.substr(equals + 1), 25, "r.example"});
    }
    routed.take_places(std::move(places));
  }

  void answer(const std::string& given) {
    auto& outbound = dynamic_cast<GateOnwardSession&>(*session_);
    const std::size_t blank = given.rfind(' ');
    if (blank == std::string::npos) {
      outbound.answer_look_up({});
    } else if (given == " list-copy") {
      outbound.answer_look_up({std::nullopt, true, {}});
    } else {
      ASSERT_TRUE(outbound.transaction().takes_mtrk);
      outbound.answer_look_up({Onward{"env@h.example", *parse_mtrk_param(given.substr(blank + 1))},
                               false, "4jWzjj46J4z1V"});
    }
  }

  void happen(const std::string& what) {
    if (what == "client closed") {
      session_->client_closed();
    } else if (what == "server closed") {
      session_->upstream_closed();
    } else if (what == "expired") {
      session_->expire("slow");
    } else if (what == "shut down") {
      ASSERT_TRUE(session_->is_idle());
      session_->shut_down();
    } else if (what == "busy") {
      ASSERT_FALSE(session_->is_idle());
    } else if (what == "noted nothing") {
      ASSERT_TRUE(session_->take_notes().empty());
    } else if (what.starts_with("noted ")) {
      const std::vector<ProxySession::Note> notes = session_->take_notes();
      ASSERT_EQ(notes.size(), 1U);
      const ProxySession::Note& note = notes.front();
      ASSERT_EQ("noted " + (note.queue_id.empty() ? "-" : note.queue_id) + ": " +
                    std::string(note.fate) +
                    (note.what.empty() ? "" : ", " + std::string(note.what) + "=" + note.text),
                what);
    } else if (what == "paused") {
      dynamic_cast<GateOnwardSession&>(*session_).input_paused();
    } else if (what.starts_with("folded with ")) {
      const auto& transaction = dynamic_cast<GateOnwardSession&>(*session_).transaction();
      ASSERT_TRUE(transaction.certifier);
      ASSERT_EQ("folded with " + transaction.certifier->to_base64(), what);
      ASSERT_EQ(transaction.queue_id, "");
    } else if (what.starts_with("queue id ")) {
      const auto& transaction = dynamic_cast<GateOnwardSession&>(*session_).transaction();
      ASSERT_EQ("queue id " + transaction.queue_id, what);
      ASSERT_FALSE(transaction.certifier);
    } else if (what == "reads") {
      ASSERT_TRUE(session_->wants_client());
    } else if (what == "waits") {
      ASSERT_FALSE(session_->wants_client());
    } else {
      FAIL() << "unknown: " << what;
    }
  }

  std::string name_;
  std::size_t piece_;
  std::size_t number_ = 0;
  std::unique_ptr<ProxySession> session_;
};

TEST(GateDialogueTest, GoesAsWrittenHoweverTheInputIsCut) {
  std::set<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(MTRK_TEST_DATA) / "gate")) {
    if (entry.path().extension() == ".smtp") {
      files.insert(entry.path());
    }
  }
  ASSERT_GE(files.size(), 15U);
  for (const auto& file : files) {
    std::ifstream in(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
      lines.push_back(line);
    }
    for (const std::size_t piece : {0U, 1U, 2U, 3U, 7U, 64U}) {
      Player(file.filename(), piece).play(lines);
      if (HasFatalFailure()) {
        return;
      }
    }
  }
}

}  // namespace
}  // namespace mtrk::smtp
