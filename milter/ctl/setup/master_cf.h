#pragma once

#include "common/base/expected.h"
#include "milter/ctl/setup/logical_lines.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// These functions treat master.cf(5) as text. They handle the smtpd(8) services, whose -o options
// may override main.cf. Pure.
namespace mtrk::setup {

struct Override {  // -o name=value, or -o { name = value }
  std::string name;
  std::string value;
  std::size_t value_begin = 0;  // in line.text of the service
  std::size_t value_end = 0;
};

struct SmtpdService {
  std::string name;  // such as "smtp", "submission", "127.0.0.1:10025"
  std::string type;  // inet, unix, fifo, pass
  bool chroot = false;
  std::vector<Override> overrides;
  LogicalLine line;

  // Returns the last override of this name, which is the one that counts, or null.
  [[nodiscard]] const Override* find(std::string_view parameter) const;
  // Returns whether only this host can reach the service.
  [[nodiscard]] bool is_local() const;
};

// Returns the services whose program is smtpd. Fails for a service with fewer than eight fields.
[[nodiscard]] Expected<std::vector<SmtpdService>> parse_master_cf(std::string_view file);

// Returns master.cf with our milter, by reference, as the last one of each service's own list of
// milters. A list that is set to nothing stays empty, because it belongs to a port on which filters
// return mail. `has_ours` names the parameters whose values in main.cf contain our milter already.
[[nodiscard]] Expected<std::string> attach_master_cf(std::string_view file,
                                                     const std::vector<std::string>& addresses,
                                                     const std::vector<std::string>& has_ours);

[[nodiscard]] Expected<std::string> detach_master_cf(std::string_view file,
                                                     const std::vector<std::string>& addresses);

}  // namespace mtrk::setup
