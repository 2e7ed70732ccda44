#pragma once

#include "common/maillog/delivery_event.h"

#include <memory>

namespace mtrk::maillog {

// A DeliveryEvent with a copy of all that its views point to: it outlives its line. Movable.
class OwnedEvent {
 public:
  explicit OwnedEvent(const DeliveryEvent& event);

  [[nodiscard]] const DeliveryEvent& event() const { return event_; }
  [[nodiscard]] std::size_t octets() const { return octets_; }  // of the copy

 private:
  DeliveryEvent event_;
  std::size_t octets_ = 0;
  std::unique_ptr<char[]> copy_;
};

}  // namespace mtrk::maillog
