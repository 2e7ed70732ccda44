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

// These are the messages that the mail side and the store side of mtrk-milter exchange over a
// stream socket. A frame is a length (4 octets), a kind (1 octet) and fields (common/base/codec.h).
// Both ends are the same program, so there are no versions. The octets are checked all the same,
// because a process that is about to die may write anything.
namespace mtrk::store_wire {

using Sequence = std::uint64_t;  // identifies an operation of the mail side until it is done

// From the mail side to the store side:
struct Put {
  Sequence sequence = 0;
  store::Capture capture;
};
struct Confirm {
  Sequence sequence = 0;
  Sequence put = 0;  // the Put that it confirms
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
struct Begin {};   // all that was under way has been sent again: the log may be read
struct Reload {};  // asks the store side to read the configuration again
struct Stop {};    // asks the store side to commit everything and end

// From the store side to the mail side:
struct Ready {
  std::string log;  // the log that is followed
};
struct Done {
  Sequence sequence = 0;
  CommitResult result = CommitResult::failed;
};
struct Batch {  // follows the Done of all its operations
  bool committed = false;
  std::chrono::nanoseconds took{0};
};
struct Status {  // the text for the service manager, empty if there is none
  std::string text;
};

using Message =
    std::variant<Put, Confirm, Drop, Hurry, Begin, Reload, Stop, Ready, Done, Batch, Status>;

void append_frame(std::string& out, const Message& message);
// Changes the frame of a Put in place, so that its capture is final.
void make_final(std::string& frame);

// Frames assembles messages from octets that arrive in pieces.
class Frames {
 public:
  static constexpr std::size_t kMostOctets = 64 * 1024 * 1024;  // of one frame

  void feed(std::string_view octets) { buffer_ += octets; }
  // Returns the next message, or nothing if it needs more octets. Fails if the octets are not a
  // frame.
  [[nodiscard]] Expected<std::optional<Message>> next();

 private:
  std::string buffer_;
  std::size_t used_ = 0;
};

}  // namespace mtrk::store_wire
