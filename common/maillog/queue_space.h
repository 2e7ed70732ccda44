#pragma once

#include "common/maillog/delivery_event.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// A QueueSpace says to which queue an id belongs. A queue id names one message within one queue
// directory. A log of several hosts (central syslog), or of several Postfix instances on one host,
// covers several directories, and the same short id in two of them names two messages.
//
// A directory is identified by the host of the line and by the name under which its queue manager
// logs: the tag before the first slash ("postfix-out" of "postfix-out/smtp"). Single services may
// log under a name of their own (`-o syslog_name=postfix-submission`), so a name counts as an
// instance only once a queue manager has used it on that host. Any other name, a tag without a
// slash, and Sendmail's tag (Sendmail has no instances) may belong to each queue of the host.
namespace mtrk::maillog {

// The parts are hashes, so that a QueueSpace is a value of three numbers that a stored trace can
// keep. 0 means unknown, which is no reason to distinguish two spaces.
struct QueueSpace {
  std::uint64_t host = 0;    // up to the first dot, in lower case; all of it if it is an address
  std::uint64_t domain = 0;  // the rest; 0 if the log has the short name
  std::uint64_t instance = 0;

  // Returns whether nothing shows that these are two hosts: "mx" may be "mx.example.org" or
  // "mx.example.net", but these two differ from each other.
  [[nodiscard]] bool same_host(const QueueSpace& other) const {
    return host == 0 || other.host == 0 ||
           (host == other.host && (domain == 0 || other.domain == 0 || domain == other.domain));
  }
  // Returns whether nothing shows that these are two queue directories.
  [[nodiscard]] bool same_queue(const QueueSpace& other) const {
    return (instance == 0 || other.instance == 0 || instance == other.instance) && same_host(other);
  }
  // Takes over what is not known yet. Returns whether there was something to take over.
  bool learn(const QueueSpace& other);

  // Returns the host alone, for a message that a filter brings back, maybe into another instance.
  [[nodiscard]] QueueSpace any_instance() const { return {host, domain, 0}; }

  [[nodiscard]] bool operator==(const QueueSpace&) const = default;
};

// QueueSpaces determines the spaces of the events of one log, and learns from them which names are
// instances. A caller who can look ahead (because a block of the file is in memory) should call
// learn() for all events of the block before it uses the first, because the first line of a queue
// manager comes after the first lines of the message.
//
// Memory is bounded: at most a few hundred names are kept, and all others are not treated as
// instances. An event costs a comparison of a few octets as long as the log is of one host. Not
// thread-safe.
class QueueSpaces {
 public:
  // `own_host` is this machine's name; it is empty if the log may be of any host. The lines of this
  // machine have no host in their space: they belong to its own queue by whatever name a line calls
  // it, and also after it was renamed.
  explicit QueueSpaces(std::string_view own_host = {});

  void learn(const DeliveryEvent& event);
  // Does learn(), and returns to which queue the event's id belongs.
  [[nodiscard]] QueueSpace of(const DeliveryEvent& event);
  // Returns whether the event is of another host, in a log that also has lines of our own. If there
  // are none, the log knows our own host by another name, and nothing is distinguished by it.
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

  // These are cached from the last event, because lines of one host, and often of one instance,
  // follow each other.
  std::string host_text_;
  std::string name_text_;
  QueueSpace host_;
  std::uint64_t name_ = 0;
  QueueSpace space_;
};

// Returns the space of a host, without an instance.
[[nodiscard]] QueueSpace host_space(std::string_view host);

}  // namespace mtrk::maillog
