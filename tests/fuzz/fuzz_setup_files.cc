// Files of a mail system, as anybody may have written them: what `mtrkctl setup` puts in, it takes
// out, to the octet; and what it says of them is never more than a sentence.
#include "milter/ctl/setup/command_filter.h"
#include "milter/ctl/setup/config_edit.h"
#include "milter/ctl/setup/diff.h"
#include "milter/ctl/setup/main_cf.h"
#include "milter/ctl/setup/master_cf.h"
#include "milter/ctl/setup/plan.h"
#include "milter/ctl/setup/sendmail_mc.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

void hold(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void main_cf(const std::string& file, const std::vector<std::string>& addresses) {
  using namespace mtrk::setup;
  const auto clean = detach_main_cf(file, addresses);
  const auto once = attach_main_cf(file, {"{ unix:mtrk/milter.sock }", addresses, true});
  if (!once) {
    hold(!once.error().detail.empty());
    return;
  }
  hold(clean.has_value());
  const auto twice = attach_main_cf(*once, {"{ unix:mtrk/milter.sock }", addresses, true});
  hold(twice.has_value() && *twice == *once);
  // A file in which words of ours stand already may hold what is put together anew when they go.
  if (*clean == file && file.find("mtrk") == std::string::npos) {
    const auto back = detach_main_cf(*once, addresses);
    hold(back.has_value() && (*back == file || *back == file + "\n"));
  }
  hold(unified_diff("main.cf", file, *once).empty() == (file == *once));
}

void master_cf(const std::string& file, const std::vector<std::string>& addresses) {
  using namespace mtrk::setup;
  const auto once = attach_master_cf(file, addresses, {});
  if (!once) {
    hold(!once.error().detail.empty());
    return;
  }
  const auto twice = attach_master_cf(*once, addresses, {});
  hold(twice.has_value() && *twice == *once);
  if (file.find("mtrk") == std::string::npos) {
    const auto back = detach_master_cf(*once, addresses);
    hold(back.has_value() && *back == file);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mtrk::setup;
  const std::string file(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string> addresses{"unix:mtrk/milter.sock", "inet:127.0.0.1:8892"};
  main_cf(file, addresses);
  master_cf(file, addresses);
  if (const auto once = attach_sendmail_mc(file, "/run/mtrk/milter.sock")) {
    hold(detach_sendmail_mc(*once) == detach_sendmail_mc(file));
  }
  hold(without_our_rules(with_our_rules(file)) == without_our_rules(file));
  hold(!with_config_key(file, "milter", "socket", "\"x\"").empty());
  if (const auto saved = decode_saved_file(file)) {
    hold(encode_saved_file(*saved) == file);
  }
  return 0;
}
