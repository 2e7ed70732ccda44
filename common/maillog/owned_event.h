#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/octet_pool.h"

#include <cstddef>
#include <string_view>

namespace mtrk::maillog {

// An OwnedEvent is a DeliveryEvent that outlives its line. It holds a copy of all that the views of
// the event point to, and of the line if that is given. Host and program are kept only with the
// line. Movable.
class OwnedEvent {
 public:
  // The copy is made in a block of `pool` if that is not null; the pool must then outlive the
  // event.
  explicit OwnedEvent(const DeliveryEvent& event,
                      std::string_view line = {},
                      OctetPool* pool = nullptr);

  [[nodiscard]] const DeliveryEvent& event() const { return event_; }
  [[nodiscard]] std::string_view line() const { return line_; }
  [[nodiscard]] std::size_t octets() const { return octets_; }  // of the copy

 private:
  DeliveryEvent event_;
  std::string_view line_;
  std::size_t octets_ = 0;
  OctetPool::Block copy_;
};

}  // namespace mtrk::maillog
