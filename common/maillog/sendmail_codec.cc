#include "common/base/codec.h"
#include "common/maillog/sendmail_trace.h"
#include "common/maillog/trace_fields.h"

#include <utility>

// This file has the form in which the store keeps a Sendmail trace (trace_codec.cc has the
// version).
namespace mtrk::maillog {

using trace::kNone;
using trace::Last;

namespace {

enum NodeFlag : std::uint8_t {
  kSeen = 1,
  kAlive = 2,
  kGaveUp = 4,
  kDone = 8,
  kVanished = 16,
  kRefused = 32,
  kLoop = 64,
  kHeld = 128,
};
enum ResultFlag : std::uint8_t { kBracketed = 1, kOwnerBracketed = 2 };

std::uint8_t flag(bool set, std::uint8_t bit) {
  return set ? bit : std::uint8_t{0};
}

// Every item takes at least this many octets, so that a count cannot ask for more than there is.
constexpr std::size_t kLeastOctets = 8;

bool get_count(std::string_view& in, std::size_t least, std::uint32_t& count) {
  return get_varint(in, count) && count <= in.size() / least;
}

}  // namespace

void SendmailTrace::encode(std::string& out) const {
  put_varint(out, static_cast<std::uint32_t>(nodes_.size()));
  for (const Node& node : nodes_) {
    put_text(out, node.id);
    put_u8(out, static_cast<std::uint8_t>(node.link));
    put_u32(out, node.parent);
    put_u32(out, node.result);
    put_u32(out, node.recipients);
    put_u64(out, node.message_id);
    put_time(out, node.at);
    put_u8(out,
           static_cast<std::uint8_t>(flag(node.seen, kSeen) | flag(node.alive, kAlive) |
                                     flag(node.gave_up, kGaveUp) | flag(node.done, kDone) |
                                     flag(node.vanished, kVanished) | flag(node.refused, kRefused) |
                                     flag(node.loop, kLoop) | flag(node.held, kHeld)));
  }
  put_varint(out, static_cast<std::uint32_t>(results_.size()));
  for (const Result& result : results_) {
    put_u32(out, result.node);
    put_text(out, result.address);
    put_text(out, result.owner);
    put_u8(out, static_cast<std::uint8_t>(flag(result.bracketed, kBracketed) |
                                          flag(result.owner_bracketed, kOwnerBracketed)));
    put_u8(out, static_cast<std::uint8_t>(result.last));
    put_status(out, result.status);
    put_time(out, result.at);
    put_text(out, result.remote_mta);
    put_u32(out, result.child);
  }
  put_varint(out, static_cast<std::uint32_t>(aliases_.size()));
  for (const Alias& alias : aliases_) {
    put_u32(out, alias.family);
    put_text(out, alias.from);
    put_text(out, alias.target);
    put_u8(out, flag(alias.several, 1));
    put_time(out, alias.at);
  }
  put_varint(out, static_cast<std::uint32_t>(declined_.size()));
  for (const auto& [key, status] : declined_) {
    put_text(out, key);
    put_status(out, status);
  }
  put_varint(out, static_cast<std::uint32_t>(added_.size()));
  for (const std::string& key : added_) {
    put_text(out, key);
  }
}

std::optional<SendmailTrace> SendmailTrace::decode(std::string_view& in,
                                                   const std::vector<std::string>& recipients) {
  SendmailTrace trace;
  std::uint32_t count = 0;
  if (!get_count(in, kLeastOctets, count) || count == 0) {
    return std::nullopt;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    Node node;
    std::uint8_t link = 0;
    std::uint8_t flags = 0;
    if (!get_string(in, node.id) || !get_u8(in, link) ||
        link > static_cast<std::uint8_t>(Link::handed_on) || !get_u32(in, node.parent) ||
        !get_u32(in, node.result) || !get_u32(in, node.recipients) ||
        !get_u64(in, node.message_id) || !get_time(in, node.at) || !get_u8(in, flags)) {
      return std::nullopt;
    }
    node.link = static_cast<Link>(link);
    // A parent comes before its children, so that no walk can run in circles.
    if ((i == 0) != (node.link == Link::root) || (i == 0) != (node.parent == kNone) ||
        (i != 0 && node.parent >= i)) {
      return std::nullopt;
    }
    node.family = i == 0 || node.link == Link::handed_on ? i : trace.nodes_[node.parent].family;
    node.seen = (flags & kSeen) != 0;
    node.alive = (flags & kAlive) != 0;
    node.gave_up = (flags & kGaveUp) != 0;
    node.done = (flags & kDone) != 0;
    node.vanished = (flags & kVanished) != 0;
    node.refused = (flags & kRefused) != 0;
    node.loop = (flags & kLoop) != 0;
    node.held = (flags & kHeld) != 0;
    trace.nodes_.push_back(std::move(node));
  }
  if (!get_count(in, kLeastOctets, count)) {
    return std::nullopt;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    Result result;
    std::uint8_t flags = 0;
    std::uint8_t last = 0;
    if (!get_u32(in, result.node) || result.node >= trace.nodes_.size() ||
        !get_string(in, result.address) || !get_string(in, result.owner) || !get_u8(in, flags) ||
        flags > (kBracketed | kOwnerBracketed) || !get_u8(in, last) ||
        last > static_cast<std::uint8_t>(Last::transferred) || !get_status(in, result.status) ||
        !get_time(in, result.at) || !get_string(in, result.remote_mta) ||
        !get_u32(in, result.child) ||
        (result.child != kNone && (result.child >= trace.nodes_.size() ||
                                   trace.nodes_[result.child].link != Link::handed_on ||
                                   trace.nodes_[result.child].parent != result.node))) {
      return std::nullopt;
    }
    result.bracketed = (flags & kBracketed) != 0;
    result.owner_bracketed = (flags & kOwnerBracketed) != 0;
    result.last = static_cast<Last>(last);
    trace.results_.push_back(std::move(result));
  }
  for (const Node& node : trace.nodes_) {
    const bool sound =
        node.link != Link::handed_on ||
        (node.result < trace.results_.size() && trace.results_[node.result].node <= node.parent);
    if (!sound) {
      return std::nullopt;
    }
  }
  if (!get_count(in, kLeastOctets, count)) {
    return std::nullopt;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    Alias alias;
    std::uint8_t several = 0;
    if (!get_u32(in, alias.family) || alias.family >= trace.nodes_.size() ||
        !get_string(in, alias.from) || !get_string(in, alias.target) || !get_u8(in, several) ||
        several > 1 || !get_time(in, alias.at)) {
      return std::nullopt;
    }
    alias.several = several == 1;
    trace.aliases_.push_back(std::move(alias));
  }
  if (!get_count(in, 1, count)) {
    return std::nullopt;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string key;
    EnhancedStatus status{};
    if (!get_string(in, key) || !get_status(in, status)) {
      return std::nullopt;
    }
    trace.declined_.emplace(std::move(key), status);
  }
  if (!get_count(in, 1, count)) {
    return std::nullopt;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string key;
    if (!get_string(in, key)) {
      return std::nullopt;
    }
    trace.added_.insert(std::move(key));
  }
  trace.index_all(recipients);
  return trace;
}

}  // namespace mtrk::maillog
