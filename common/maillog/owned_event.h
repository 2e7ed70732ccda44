#pragma once

#include "common/maillog/delivery_event.h"
#include "common/maillog/octet_pool.h"

#include <cstddef>
#include <string_view>

namespace mtrk::maillog {

// A DeliveryEvent with a copy of all that its views point to, and of the line it came from if
// that is given: it outlives its line. Host and program are kept with the line only. Movable.
class OwnedEvent {
 public:
  // The copy is made in a block of the pool, if there is one, which then has to outlive it.
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
