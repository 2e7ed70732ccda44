#pragma once

#include "common/maillog/delivery_event.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Whose queue an id is of. A queue id names one message within one queue directory; a log of
// several hosts (central syslog), or of several Postfix instances on one host, has several
// directories, and the same short id in two of them names two messages.
//
// A directory is known by the host of the line and by the name that its queue manager logs under:
// the tag before the first slash ("postfix-out" of "postfix-out/smtp"). Single services may log
// under a name of their own (`-o syslog_name=postfix-submission`), so that a name is an instance
// only once a queue manager was seen with it on that host; any other name, a tag without a slash,
// and Sendmail's, which knows no instances, may belong to each queue of the host.
namespace mtrk::maillog {

// As hashes, which make it a value of three numbers that a stored trace can keep. 0: not known, and
// so no reason to tell anything apart.
struct QueueSpace {
  std::uint64_t host = 0;    // up to the first dot, in lower case; all of it if it is an address
  std::uint64_t domain = 0;  // the rest; 0 if the log has the short name
  std::uint64_t instance = 0;

  // Whether nothing says that these are two hosts: "mx" may be "mx.example.org" and
  // "mx.example.net", but these two are not each other.
  [[nodiscard]] bool same_host(const QueueSpace& other) const {
    return host == 0 || other.host == 0 ||
           (host == other.host && (domain == 0 || other.domain == 0 || domain == other.domain));
  }
  // Whether nothing says that these are two queue directories.
  [[nodiscard]] bool same_queue(const QueueSpace& other) const {
    return (instance == 0 || other.instance == 0 || instance == other.instance) && same_host(other);
  }
  // Takes over what is not known yet; true if there was something.
  bool learn(const QueueSpace& other);

  // The host alone: where a filter brings a message back, maybe into another instance.
  [[nodiscard]] QueueSpace any_instance() const { return {host, domain, 0}; }

  [[nodiscard]] bool operator==(const QueueSpace&) const = default;
};

// Tells the spaces of one log's events, and learns from them which names are instances. Whoever
// can look ahead (a file of which a block is in memory) calls learn() for all events of the block
// before it uses the first: a queue manager's first line comes after the message's first ones.
//
// Bounded: no more than a few hundred names are kept, the others are no instances. Costs a
// comparison of a few octets an event as long as the log is of one host. Not thread-safe.
class QueueSpaces {
 public:
  // `own_host` is this machine's name, or empty if the log may be of any. Its lines are of no named
  // host: they belong to the own queue however it is called in this line, and after it was renamed.
  explicit QueueSpaces(std::string_view own_host = {});

  void learn(const DeliveryEvent& event);
  // learn(), and whose queue the event's id is of.
  [[nodiscard]] QueueSpace of(const DeliveryEvent& event);
  // Whether the event is another host's, in a log that has lines of the own one. In a log without
  // any the own host is known by another name, and nothing is told apart by it.
  [[nodiscard]] bool is_foreign(const QueueSpace& space) const {
    return own_seen_ && space.host != 0;
  }

 private:
  struct Instance {
    QueueSpace host;
    std::uint64_t name = 0;
  };

  void take_host(std::string_view host);
  void take_name(std::string_view name);
  [[nodiscard]] bool is_instance() const;
  void update();

  QueueSpace own_;
  bool own_seen_ = false;
  std::vector<Instance> instances_;

  // Of the last event: lines of one host, and often of one instance, follow each other.
  std::string host_text_;
  std::string name_text_;
  QueueSpace host_;
  std::uint64_t name_ = 0;
  QueueSpace space_;
};

// The name of a host as a space without an instance.
[[nodiscard]] QueueSpace host_space(std::string_view host);

}  // namespace mtrk::maillog
