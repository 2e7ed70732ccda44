#pragma once

#include "common/base/expected.h"
#include "milter/ctl/setup/logical_lines.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// master.cf(5) as text: the smtpd(8) services, whose -o options may set aside what main.cf says.
// Pure.
namespace mtrk::setup {

struct Override {  // -o name=value, or -o { name = value }
  std::string name;
  std::string value;
  std::size_t value_begin = 0;  // in the service's line.text
  std::size_t value_end = 0;
};

struct SmtpdService {
  std::string name;  // such as "smtp", "submission", "127.0.0.1:10025"
  std::string type;  // inet, unix, fifo, pass
  bool chroot = false;
  std::vector<Override> overrides;
  LogicalLine line;

  // The last one of this name, as it is the one that counts.
  [[nodiscard]] const Override* find(std::string_view parameter) const;
  // Whether only this host reaches it.
  [[nodiscard]] bool is_local() const;
};

// The services whose program is smtpd. Fails for a service with less than eight fields.
[[nodiscard]] Expected<std::vector<SmtpdService>> parse_master_cf(std::string_view file);

// master.cf with our milter, by reference, as the last one of each service's own list of milters. A
// list that is set to nothing stays so: it belongs to a port on which filters hand mail back.
// `has_ours` tells of a name whether its value in main.cf holds our milter already.
[[nodiscard]] Expected<std::string> attach_master_cf(std::string_view file,
                                                     const std::vector<std::string>& addresses,
                                                     const std::vector<std::string>& has_ours);

[[nodiscard]] Expected<std::string> detach_master_cf(std::string_view file,
                                                     const std::vector<std::string>& addresses);

}  // namespace mtrk::setup
