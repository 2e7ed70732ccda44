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

// A ProxySession is one SMTP session through a proxy that queues nothing, as a state machine
// without I/O. Octets of the client and of the server after the proxy ("upstream") go in; octets
// for both and tasks for the shell come out. This class is what both directions of mtrk-gate have
// in common; milter/gate/session/inbound.h and milter/gate/session/outbound.h say what is done with
// commands and replies.
//
// The class keeps these rules:
//  * A reply belongs to a command. Our own replies wait for their turn between those of the server,
//    so that pipelining stays intact.
//  * Commands reach the server in lines that end with CRLF and have no bare CR, bare LF or NUL,
//    that are not too long for servers, and that begin with a verb which no server reads otherwise
//    (has_plain_verb()). A message ends where all servers agree that it ends (data_scanner.h), and
//    the octets of BDAT are counted.
//  * Nothing is sent to the server before its greeting, or after EHLO, HELO, DATA, AUTH and QUIT
//    before their reply, because what comes next depends on that reply (RFC 2920 §3.1; Sendmail
//    insists on it).
//  * No octet crosses a TLS handshake. Input after STARTTLS ends the session (THR-S1), and so does
//    input after the server's 220 (THR-C1). What was learned in clear is forgotten, and the server
//    gets a new connection, so that nothing of what an attacker said before the handshake is left
//    in it.
//  * No positive reply to a recipient or a message is made up for the server: when the server is
//    gone, the client gets 421.
//  * Memory is limited to one piece of input, one line, and kMaxAwaited replies.
// Not thread-safe.
namespace mtrk::smtp {

enum class TlsUse { none, opportunistic, required };

class ProxySession {
 public:
  // With a fold, such a command still fits into the 2048 octets of other servers.
  static constexpr std::size_t kMaxCommand = 1980;
  static constexpr std::size_t kMaxAuth = 12288;  // RFC 4954 §4
  static constexpr std::size_t kMaxAwaited = 100;
  static constexpr unsigned kMaxBadLines = 20;

  struct Settings {
    std::string hostname;  // for our own replies and our own EHLO
    TlsUse upstream_tls = TlsUse::none;
    // The server is known only later, from what the client says: the client is greeted and heard
    // before there is a server, and the server may change between transactions
    // (milter/gate/session/routed.h).
    bool late = false;
    // Server and client speak LMTP (RFC 2033): a message gets one reply for each accepted
    // recipient.
    bool lmtp = false;
  };

  explicit ProxySession(Settings settings) : settings_(std::move(settings)) {}
  virtual ~ProxySession() = default;
  ProxySession(const ProxySession&) = delete;
  ProxySession& operator=(const ProxySession&) = delete;

  // An Effect is what the shell has to do on the client's side, after it has sent to_client() and
  // to_upstream().
  enum class Effect {
    // Ends an older connection; then calls upstream_connected() or upstream_failed().
    connect_upstream,
    // Calls accept_tls() if no input is waiting on the socket, else refuse_tls().
    offer_tls,
    // Sends, runs the handshake, then calls client_tls_started(); or gives the client up.
    start_tls,
    look_up,          // see milter/gate/session/onward.h
    choose_next_hop,  // see milter/gate/session/routed.h
    close,            // send what is left, then close both sides
  };
  [[nodiscard]] std::optional<Effect> take_effect();
  [[nodiscard]] bool has_effect() const { return effect_.has_value(); }
  // Does the same for the upstream's side: returns true if the shell has to run the handshake, and
  // then to call upstream_tls_started() or upstream_failed().
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
  // It could not be connected to, the handshake failed, or it was too slow.
  void upstream_failed(std::string_view why);
  // Says 421 and ends the session, because the time for something is over.
  void expire(std::string_view why);
  // Returns true if nothing is under way and no message has begun, so that shut_down() does no
  // harm.
  [[nodiscard]] bool is_idle() const;
  void shut_down();

  // The shell sends these octets and clears them.
  [[nodiscard]] std::string& to_client() { return to_client_; }
  [[nodiscard]] std::string& to_upstream() { return to_upstream_; }
  // Returns true if more of the client's octets may be fed. While it is false, the shell does not
  // read from the client (back-pressure).
  [[nodiscard]] bool wants_client() const;
  [[nodiscard]] bool closing() const { return closing_; }
  [[nodiscard]] bool greeted() const { return greeted_; }  // the client was greeted
  [[nodiscard]] bool client_tls() const { return client_tls_; }
  [[nodiscard]] bool upstream_tls() const { return upstream_tls_; }
  // Returns true if there is a connection to the server, or will be. If not, the shell closes one
  // that is left.
  [[nodiscard]] bool uses_upstream() const { return stage_ != Stage::detached; }
  // Returns true on the way to a session with the server.
  [[nodiscard]] bool is_connecting() const {
    return stage_ != Stage::ready && stage_ != Stage::detached;
  }

  // These are for the log.
  [[nodiscard]] const std::string& end() const { return end_; }  // why it is closing
  // Counts messages that have ended, accepted or not.
  [[nodiscard]] std::uint64_t messages() const { return messages_; }
  [[nodiscard]] std::uint64_t repaired() const { return repaired_; }  // bare CR and LF in messages
  // A Note says what became of the MTRK of one message; it is logged as mtrk=`fate`, `what`=`text`.
  struct Note {
    std::string queue_id;  // empty if it is not known
    std::string_view fate;
    std::string_view what = {};  // empty if there is nothing more to say
    std::string text = {};       // may hold any octets that the other side chose
  };
  [[nodiscard]] std::vector<Note> take_notes() { return std::exchange(notes_, {}); }

 protected:
  // Says what a reply of the server answers.
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

  // Takes one command without CRLF. Calls pass() or answer(), or neither of them until later.
  virtual void take_command(Verb verb, std::string_view line) = 0;
  // Returns what the client gets instead of the server's reply; nothing if the reply is not for the
  // client.
  virtual std::optional<Reply> take_reply(Awaited what, unsigned mark, Reply reply) = 0;
  // This is called when a reply was given to the client, before commands that waited for it are
  // looked at.
  virtual void replied() {}
  // Returns the octets that begin a connection to the server.
  [[nodiscard]] virtual std::string upstream_preamble() { return {}; }
  // needs_identity() returns true if a command has to say to the server who the client is.
  // identity_command() returns that command, or nothing if the server does not take it.
  [[nodiscard]] virtual bool needs_identity() const { return false; }
  [[nodiscard]] virtual std::optional<std::string> identity_command(const Reply&) { return {}; }
  // Returns true if a transaction has begun of which the server does not know yet.
  [[nodiscard]] virtual bool keeps_transaction() const { return false; }
  // The handshake is done: what was learned in clear is void.
  virtual void forget_client() {}

  // This is used only if `late` is set. Commands may be passed from now on; `hello` is the server's
  // answer to EHLO or HELO.
  virtual void upstream_ready(const Reply& /*hello*/) {}
  // This is used only if `late` is set. The server is lost. Returns false if all that is left is
  // 421 to the client.
  [[nodiscard]] virtual bool survive(std::string_view /*why*/) { return false; }
  // Does want(Effect::connect_upstream) and what belongs to it.
  void connect_upstream(TlsUse tls);
  void detach_upstream();  // goes on without a server, as before connect_upstream()
  // Forgets commands whose marks are at least `unseen`, because the client does not wait for their
  // replies. Returns true if it waits for no other reply of the server.
  [[nodiscard]] bool drop_awaited(unsigned unseen);
  // Returns true if the client waits for the reply to a command whose mark is less than `unseen`.
  [[nodiscard]] bool awaits_reply(unsigned unseen) const;
  [[nodiscard]] bool connected() const { return stage_ == Stage::ready; }
  // Returns true if MAIL was passed and its message has no reply yet: another MAIL needs RSET
  // first.
  [[nodiscard]] bool in_transaction() const { return in_transaction_; }

  // `mark` comes back with the reply.
  void pass(Awaited what, std::string_view line, unsigned mark = 0);
  void pass_chunk(std::string_view line, const Chunk& chunk, unsigned mark);
  void answer(std::string_view reply);  // without CRLF
  // Commands of the client wait from hold() to release(). resume() looks at those that waited; it
  // is only for calls from outside, because inputs and replies do so themselves.
  void hold() { held_ = true; }
  void release() { held_ = false; }
  void resume() { take_input({}); }
  void want_tls();
  void want(Effect effect) { effect_ = effect; }
  void close_with(std::string_view reply, std::string_view why);
  void note(Note one) { notes_.push_back(std::move(one)); }
  void mark_message(unsigned mark) { message_mark_ = mark; }  // for the message that DATA begins

  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] unsigned recipients() const { return recipients_; }

 private:
  // Says how far the connection to the server is.
  enum class Stage {
    detached,  // late: there is no connection
    connecting,
    greeting,
    ehlo_for_tls,
    starttls,
    handshake,
    ehlo_for_identity,
    identity,
    ehlo_for_session,  // late: we have answered the client's own EHLO
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
  // After any input, starts the handshake or ends the session if it is time.
  void settle();

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

  std::string input_;        // of the client, not consumed yet
  std::size_t scanned_ = 0;  // this many octets at its beginning hold no LF
  Mode mode_ = Mode::command;
  bool held_ = false;
  bool in_transaction_ = false;  // MAIL was sent, and its message has no reply yet
  bool greeted_ = false;
  bool tls_wanted_ = false;
  bool client_tls_ = false;
  bool client_gone_ = false;
  bool closing_ = false;
  DataScanner scanner_;
  unsigned message_mark_ = 0;
  unsigned recipients_ = 0;  // those accepted in this transaction
  std::uint64_t chunk_left_ = 0;
  bool overlong_cr_ = false;
  unsigned bad_lines_ = 0;

  Stage stage_ = Stage::connecting;
  ReplyParser replies_;
  Reply greeting_;
  std::deque<Waiting> waiting_;
  bool upstream_tls_ = false;
  bool without_tls_ = false;  // the handshake failed once, and TLS is not required
  bool identified_ = false;

  std::string end_;
  std::vector<Note> notes_;
  std::uint64_t messages_ = 0;
  std::uint64_t repaired_ = 0;
};

}  // namespace mtrk::smtp
