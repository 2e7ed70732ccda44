#pragma once

#include "common/maillog/delivery_event.h"

#include <cstddef>
#include <memory>
#include <string_view>

namespace mtrk::maillog {

// A DeliveryEvent with a copy of all that its views point to, and of the line it came from if
// that is given: it outlives its line. Movable.
class OwnedEvent {
 public:
  explicit OwnedEvent(const DeliveryEvent& event, std::string_view line = {});

  [[nodiscard]] const DeliveryEvent& event() const { return event_; }
  [[nodiscard]] std::string_view line() const { return line_; }
  [[nodiscard]] std::size_t octets() const { return octets_; }  // of the copy

 private:
  DeliveryEvent event_;
  std::string_view line_;
  std::size_t octets_ = 0;
  std::unique_ptr<char[]> copy_;
};

}  // namespace mtrk::maillog
