#pragma once

#include "common/base/expected.h"
#include "milter/writer/queue.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

// What the mail side and the store side of mtrk-milter say to each other over a stream socket:
// frames of a length (4 octets), a kind (1 octet) and fields (common/base/codec.h). Both ends are
// one program, so there are no versions; the octets are checked all the same, as a process that is
// about to die may write anything.
namespace mtrk::store_wire {

using Sequence = std::uint64_t;  // names an operation of the mail side until it is done

// Mail side to store side.
struct Put {
  Sequence sequence = 0;
  store::Capture capture;
};
struct Confirm {
  Sequence sequence = 0;
  Sequence put = 0;  // the Put that it is about
  ConfirmCapture confirmation;
};
struct Drop {
  Sequence sequence = 0;
  DropCapture drop;
};
struct Hurry {
  Sequence sequence = 0;
  std::uint64_t company = 0;
};
struct Begin {};   // what was under way before has been said again: the log may be read
struct Reload {};  // the configuration
struct Stop {};    // commit everything and end

// Store side to mail side.
struct Ready {
  std::string log;  // what is followed
};
struct Done {
  Sequence sequence = 0;
  CommitResult result = CommitResult::failed;
};
struct Batch {  // after the Done of all its operations
  bool committed = false;
  std::chrono::nanoseconds took{0};
};
struct Status {  // for the service manager; empty: nothing to say
  std::string text;
};

using Message =
    std::variant<Put, Confirm, Drop, Hurry, Begin, Reload, Stop, Ready, Done, Batch, Status>;

void append_frame(std::string& out, const Message& message);
// The frame of a Put, made final where it stands.
void make_final(std::string& frame);

// Frames out of what arrives in pieces.
class Frames {
 public:
  static constexpr std::size_t kMostOctets = 64 * 1024 * 1024;  // a frame

  void feed(std::string_view octets) { buffer_ += octets; }
  // The next message; nothing if more octets are needed; an error for what is no frame.
  [[nodiscard]] Expected<std::optional<Message>> next();

 private:
  std::string buffer_;
  std::size_t used_ = 0;
};

}  // namespace mtrk::store_wire
