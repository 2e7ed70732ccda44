#pragma once

#include "common/smtp/command.h"
#include "common/smtp/reply.h"
#include "milter/gate/session/data_scanner.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// One SMTP session through a proxy that queues nothing, as a state machine without I/O: octets of
// the client and of the server behind ("upstream") in, octets to both out, and what the shell has
// to do. What the two directions of mtrk-gate have in common; milter/gate/session/inbound.h and
// milter/gate/session/outbound.h say what is done with commands and replies.
//
// Kept here, once:
//  * A reply belongs to a command: replies of our own wait for their turn between those of the
//    server, so that pipelining stays intact.
//  * Commands reach the server in lines of CRLF without bare CR, bare LF or NUL, of a length that
//    servers take, and with a verb that no server reads otherwise (has_plain_verb()); a message
//    ends where everybody agrees (data_scanner.h), BDAT is counted.
//  * Nothing is sent to the server before its greeting, and nothing behind EHLO, HELO, DATA, AUTH
//    and QUIT before their reply: what comes next depends on it (RFC 2920 §3.1; Sendmail insists).
//  * No octet crosses a TLS handshake: input behind STARTTLS ends the session (THR-S1), input
//  behind
//    the server's 220 ends it too (THR-C1), and what was learned in clear is forgotten. The server
//    gets a new connection, so that nothing a stranger said before the handshake is left in it.
//  * No positive reply to a recipient or a message is made up for the server: when it is gone, the
//    client gets 421.
//  * Memory: one piece of input, one line, kMaxAwaited replies.
// Not thread-safe.
namespace mtrk::smtp {

enum class TlsUse { none, opportunistic, required };

class ProxySession {
 public:
  static constexpr std::size_t kMaxCommand = 1980;  // with a fold it still fits the 2048 of others
  static constexpr std::size_t kMaxAuth = 12288;    // RFC 4954 §4
  static constexpr std::size_t kMaxAwaited = 100;
  static constexpr unsigned kMaxBadLines = 20;

  struct Settings {
    std::string hostname;  // for our own replies, and our own EHLO
    TlsUse upstream_tls = TlsUse::none;
    // Whom to connect to is known later, by what the client says: it is greeted and heard before
    // there is a server, and the server may change between transactions
    // (milter/gate/session/routed.h).
    bool late = false;
    // The server speaks LMTP (RFC 2033), and so does the client: a message is answered once for
    // each recipient that was taken.
    bool lmtp = false;
  };

  explicit ProxySession(Settings settings) : settings_(std::move(settings)) {}
  virtual ~ProxySession() = default;
  ProxySession(const ProxySession&) = delete;
  ProxySession& operator=(const ProxySession&) = delete;

  // What the shell has to do for the client's side, once to_client() and to_upstream() are sent.
  enum class Effect {
    connect_upstream,  // then upstream_connected() or upstream_failed(); an older connection ends
    offer_tls,         // no input waiting on the socket? then accept_tls(), else refuse_tls()
    start_tls,         // send, handshake, then client_tls_started(); or give the client up
    look_up,           // milter/gate/session/onward.h
    choose_next_hop,   // milter/gate/session/routed.h
    close,             // send what there is, then close both
  };
  [[nodiscard]] std::optional<Effect> take_effect();
  [[nodiscard]] bool has_effect() const { return effect_.has_value(); }
  // The same for the upstream's side: handshake, then upstream_tls_started() or upstream_failed().
  [[nodiscard]] bool take_upstream_tls();

  void start();
  void from_client(std::string_view octets);
  void client_closed();
  void accept_tls();
  void refuse_tls();
  void client_tls_started();

  void upstream_connected();
  void upstream_tls_started();
  void from_upstream(std::string_view octets);
  void upstream_closed();
  void upstream_failed(std::string_view why);  // could not connect, no handshake, too slow
  // The time for something is over: says 421 and ends.
  void expire(std::string_view why);
  // Nothing is under way, and no message has begun: shut_down() costs nobody anything.
  [[nodiscard]] bool is_idle() const;
  void shut_down();

  // To be sent, then cleared, by the shell.
  [[nodiscard]] std::string& to_client() { return to_client_; }
  [[nodiscard]] std::string& to_upstream() { return to_upstream_; }
  // More of the client's octets may be fed. While false nothing is read from it: back-pressure.
  [[nodiscard]] bool wants_client() const;
  [[nodiscard]] bool closing() const { return closing_; }
  [[nodiscard]] bool greeted() const { return greeted_; }  // the client was
  [[nodiscard]] bool client_tls() const { return client_tls_; }
  [[nodiscard]] bool upstream_tls() const { return upstream_tls_; }
  // There is a connection to the server, or will be. If not, one that is left is to be closed.
  [[nodiscard]] bool uses_upstream() const { return stage_ != Stage::detached; }
  // On the way to a session with the server.
  [[nodiscard]] bool is_connecting() const {
    return stage_ != Stage::ready && stage_ != Stage::detached;
  }

  // For the log.
  [[nodiscard]] const std::string& end() const { return end_; }       // why it is closing
  [[nodiscard]] std::uint64_t messages() const { return messages_; }  // ended, not: accepted
  [[nodiscard]] std::uint64_t repaired() const { return repaired_; }  // bare CR and LF in messages
  // What became of the MTRK of one message, a line each: mtrk=`fate`, `what`=`text`.
  struct Note {
    std::string queue_id;  // empty: not known
    std::string_view fate;
    std::string_view what = {};  // empty: nothing more is to be said
    std::string text = {};       // of whatever octets the other side likes
  };
  [[nodiscard]] std::vector<Note> take_notes() { return std::exchange(notes_, {}); }

 protected:
  // What a reply of the server answers.
  enum class Awaited {
    greeting,
    ehlo,
    mail,
    rcpt,
    data,
    message,
    chunk,
    reset,
    auth,
    quit,
    other,
    own,
  };

  // One command, without CRLF: pass() it, answer() it, or neither and more later.
  virtual void take_command(Verb verb, std::string_view line) = 0;
  // What the client gets of the server's reply; nothing = it is not for the client.
  virtual std::optional<Reply> take_reply(Awaited what, unsigned mark, Reply reply) = 0;
  // The reply is with the client, commands that waited for it are not yet looked at.
  virtual void replied() {}
  // The beginning of a connection to the server.
  [[nodiscard]] virtual std::string upstream_preamble() { return {}; }
  // Whether the server has to be told who the client is by a command, and that command; nothing =
  // it cannot be told.
  [[nodiscard]] virtual bool needs_identity() const { return false; }
  [[nodiscard]] virtual std::optional<std::string> identity_command(const Reply&) { return {}; }
  // A transaction has begun that the server has not been told of.
  [[nodiscard]] virtual bool keeps_transaction() const { return false; }
  virtual void forget_client() {}  // the handshake is done: what was learned in clear is void

  // Late only. Commands may be passed from now on; `hello` is the server's answer to EHLO, or HELO.
  virtual void upstream_ready(const Reply& /*hello*/) {}
  // Late only. The server is lost: false = there is no way on but 421 to the client.
  [[nodiscard]] virtual bool survive(std::string_view /*why*/) { return false; }
  void connect_upstream(TlsUse tls);  // want(Effect::connect_upstream), and what it leads to
  void detach_upstream();             // without a server, as before connect_upstream()
  // Forgets commands whose marks are at least `unseen`: the client does not wait for their replies.
  // True if it waits for no other reply of the server.
  [[nodiscard]] bool drop_awaited(unsigned unseen);
  [[nodiscard]] bool awaits_reply(unsigned unseen) const;  // it waits for such a one now
  [[nodiscard]] bool connected() const { return stage_ == Stage::ready; }
  // MAIL was passed, and its message is not answered: another MAIL needs RSET.
  [[nodiscard]] bool in_transaction() const { return in_transaction_; }

  // `mark` comes back with the reply.
  void pass(Awaited what, std::string_view line, unsigned mark = 0);
  void pass_chunk(std::string_view line, const Chunk& chunk, unsigned mark);
  void answer(std::string_view reply);  // without CRLF
  // Commands of the client wait from hold() to release(); resume() looks at them, and is for calls
  // from outside only: inputs and replies do so themselves.
  void hold() { held_ = true; }
  void release() { held_ = false; }
  void resume() { take_input({}); }
  void want_tls();
  void want(Effect effect) { effect_ = effect; }
  void close_with(std::string_view reply, std::string_view why);
  void note(Note one) { notes_.push_back(std::move(one)); }
  void mark_message(unsigned mark) { message_mark_ = mark; }  // of the message that DATA begins

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] unsigned recipients() const { return recipients_; }

 private:
  enum class Stage {  // of the connection to the server
    detached,         // late: there is none
    connecting,
    greeting,
    ehlo_for_tls,
    starttls,
    handshake,
    ehlo_for_identity,
    identity,
    ehlo_for_session,  // late: the client's own was answered by us
    helo_for_session,
    ready,
  };
  enum class Mode { command, auth_line, data, chunk, overlong };
  struct Waiting {
    Awaited what;
    unsigned mark;
    std::string own;
  };

  void take_input(std::string_view octets);
  [[nodiscard]] std::size_t consume(std::string_view in);
  [[nodiscard]] std::size_t consume_line(std::string_view in);
  [[nodiscard]] std::size_t discard_line(std::string_view in);
  [[nodiscard]] bool may_consume() const;
  void take_line(std::string_view line);
  void refuse_line(std::string_view reply);
  void end_message();
  void settle();  // after any input: is it time for the handshake, or the end?

  void take_stage_reply(const Reply& reply);
  void advance_stage(const Reply& greeting);
  void open_session();
  [[nodiscard]] std::string hello() const;  // our own EHLO or LHLO
  void go_without_tls(std::string_view why);
  void take_awaited(Reply reply);
  void send_own_replies();
  void give_up(const Reply& reply);
  void lose_upstream(std::string_view why);

  Settings settings_;
  std::string to_client_;
  std::string to_upstream_;
  std::optional<Effect> effect_;
  bool upstream_tls_wanted_ = false;

  std::string input_;        // of the client, not yet consumed
  std::size_t scanned_ = 0;  // octets at its beginning known to hold no LF
  Mode mode_ = Mode::command;
  bool held_ = false;
  bool in_transaction_ = false;  // MAIL was sent, its message is not answered
  bool greeted_ = false;
  bool tls_wanted_ = false;
  bool client_tls_ = false;
  bool client_gone_ = false;
  bool closing_ = false;
  DataScanner scanner_;
  unsigned message_mark_ = 0;
  unsigned recipients_ = 0;  // taken in this transaction
  std::uint64_t chunk_left_ = 0;
  bool overlong_cr_ = false;
  unsigned bad_lines_ = 0;

  Stage stage_ = Stage::connecting;
  ReplyParser replies_;
  Reply greeting_;
  std::deque<Waiting> waiting_;
  bool upstream_tls_ = false;
  bool without_tls_ = false;  // the handshake failed once, and need not succeed
  bool identified_ = false;

  std::string end_;
  std::vector<Note> notes_;
  std::uint64_t messages_ = 0;
  std::uint64_t repaired_ = 0;
};

}  // namespace mtrk::smtp
