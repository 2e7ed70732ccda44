#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

// Our own log lines: facility mail, one line per event, in the order mail administrators grep for:
//   <queue id>: key=value, key=value …      log::notice("4jW…", {{"mtrk", "tracked"}, …})
//   key=value …                              log::warning("", {{"store", "full"}})
//   text                                     log::info("", {{"", "listening"}}): no key, free text
// Values are escaped (\xHH for anything that is not printable ASCII), cut at 512 octets a line.
// Never a secret, a certifier or an ENVID: of an ENVID only short_key() of its message key.
// Thread-safe after open(), which is called before threads start; before it, lines of info and
// above go to standard error. Never throws; a failing sink is ignored (there is nowhere to report
// it), but SIGPIPE is for the program to ignore.
namespace mtrk::log {

enum class Level { debug, info, notice, warning, error };
enum class Sink { standard_error, syslog };  // stderr carries <N> prefixes when journald reads it

void open(Sink sink, std::string_view program, Level least);

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;
void write(Level level, std::string_view queue_id, Fields fields);

inline void info(std::string_view queue_id, Fields fields) {
  write(Level::info, queue_id, fields);
}
inline void notice(std::string_view queue_id, Fields fields) {
  write(Level::notice, queue_id, fields);
}
inline void warning(std::string_view queue_id, Fields fields) {
  write(Level::warning, queue_id, fields);
}
inline void error(std::string_view queue_id, Fields fields) {
  write(Level::error, queue_id, fields);
}

// The line without prefix and newline: what the sink is given, and what tests read.
[[nodiscard]] std::string format_line(std::string_view queue_id, Fields fields);

}  // namespace mtrk::log
