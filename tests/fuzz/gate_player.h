#pragma once

#include "common/track/gate_tag.h"
#include "milter/gate/session/proxy_session.h"
#include "tests/fuzz/fuzz_input.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// Both fuzz targets of the gate: a script of what client and server send, and how it is cut. What
// has to hold for either half is checked here.
namespace mtrk {

inline void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// No CR and no LF by itself.
inline bool has_whole_line_ends(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool cr_alone = text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n');
    const bool lf_alone = text[i] == '\n' && (i == 0 || text[i - 1] != '\r');
    if (cr_alone || lf_alone) {
      return false;
    }
  }
  return true;
}

// Each reply that refuses has a tag of `host` in front, or none. One that does not is logged for a
// message alone, whose tag the dialogues check.
inline void require_own_tags(std::string_view replies, std::string_view host) {
  bool begins = true;
  while (!replies.empty()) {
    const std::size_t end = std::min(replies.find("\r\n"), replies.size());
    const std::string_view line = replies.substr(0, end);
    const auto tag = find_gate_tag(line);
    require(!begins || !tag || tag->host == host || line.front() < '4');
    begins = line.size() < 4 || line[3] != '-';
    replies.remove_prefix(std::min(end + 2, replies.size()));
  }
}

class GatePlayer {
 public:
  explicit GatePlayer(smtp::ProxySession& session) : session_(session) { session_.start(); }
  virtual ~GatePlayer() = default;
  GatePlayer(const GatePlayer&) = delete;
  GatePlayer& operator=(const GatePlayer&) = delete;

  void client(std::string text) {
    // What was said in clear has "{" for every brace, what is said in TLS "}".
    const bool tls = session_.client_tls();
    std::replace(text.begin(), text.end(), tls ? '{' : '}', tls ? '}' : '{');
    if (!session_.closing()) {
      session_.from_client(text);
      work(text.size());
    }
  }
  void server(std::string_view text) {
    if (!connected_ || session_.closing()) {
      return;
    }
    session_.from_upstream(text);
    work(text.size());
  }
  void work(std::size_t fed) {
    collect(fed);
    while (const auto effect = session_.take_effect()) {
      perform(*effect);
      collect(fed);
    }
    if (session_.take_upstream_tls()) {
      session_.upstream_tls_started();
      collect(fed);
    }
  }

  [[nodiscard]] const std::string& to_client() const { return to_client_; }
  [[nodiscard]] const std::string& to_server() const { return to_server_; }

 protected:
  virtual void look_up() { std::abort(); }
  virtual void choose_next_hop() { std::abort(); }

 private:
  static constexpr std::size_t kMemory = std::size_t{64} * 1024;

  void perform(smtp::ProxySession::Effect effect) {
    using Effect = smtp::ProxySession::Effect;
    switch (effect) {
      case Effect::connect_upstream:
        if (session_.client_tls()) {
          to_server_.clear();  // a new connection: nothing from before the handshake is in it
        }
        connected_ = true;
        session_.upstream_connected();
        return;
      case Effect::offer_tls:
        session_.accept_tls();
        return;
      case Effect::start_tls:
        session_.client_tls_started();
        require(session_.to_upstream().empty());
        return;
      case Effect::look_up:
        look_up();
        return;
      case Effect::choose_next_hop:
        choose_next_hop();
        return;
      case Effect::close:
        require(session_.closing());
        return;
    }
  }
  void collect(std::size_t fed) {
    require(session_.to_upstream().size() <= fed * 4 + kMemory);
    require(session_.to_client().size() <= fed * 64 + kMemory);
    require(has_whole_line_ends(session_.to_client()));
    to_client_ += session_.to_client();
    to_server_ += session_.to_upstream();
    session_.to_client().clear();
    session_.to_upstream().clear();
    if (session_.client_tls()) {
      require(to_server_.find('{') == std::string::npos);
    }
  }

  smtp::ProxySession& session_;
  bool connected_ = false;
  std::string to_client_;
  std::string to_server_;
};

// A script: an octet says who speaks and what, a text follows where one is needed. `pieces`: in how
// many octets at once.
inline void play(FuzzInput input, GatePlayer& player, std::size_t pieces) {
  player.work(0);
  const auto in_pieces = [&](const std::string& text, bool client) {
    for (std::size_t at = 0; at < text.size(); at += pieces) {
      client ? player.client(text.substr(at, pieces)) : player.server(text.substr(at, pieces));
    }
  };
  while (!input.empty()) {
    switch (input.below(12)) {
      case 0:
      case 1:
      case 2:
        in_pieces(input.text(), true);
        break;
      case 3:
        in_pieces(input.text() + "\r\n", true);
        break;
      case 4:
        in_pieces(
            "MAIL FROM:<a@b> MTRK=q+qP/cyxm+YcTAhz05Hph5gvu9M:60 ENVID=" + input.text() + "\r\n",
            true);
        break;
      case 5:
        in_pieces("EHLO c\r\n", true);
        break;
      case 6:
        in_pieces("DATA\r\n", true);
        break;
      case 7:
        in_pieces("250 ok\r\n", false);
        break;
      case 8:
        in_pieces("220-mx\r\n220 mx\r\n", false);
        break;
      case 9:
        in_pieces("250-mx\r\n250-DSN\r\n250-STARTTLS\r\n250-XCLIENT ADDR\r\n250 MTRK\r\n", false);
        break;
      case 10:
        in_pieces("354 go\r\n", false);
        break;
      case 11:
        in_pieces(input.text(), false);
        break;
    }
  }
}

}  // namespace mtrk
