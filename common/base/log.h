#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

// This is the log of our own programs: facility mail, one line per event, laid out like the lines
// that mail administrators search for:
//   <queue id>: key=value, key=value …      log::notice("4jW…", {{"mtrk", "tracked"}, …})
//   key=value …                              log::warning("", {{"store", "full"}})
//   text                                     log::info("", {{"", "listening"}}): no key, free text
// Values are escaped (\xHH for anything that is not printable ASCII), and a line is cut at 512
// octets. A line must never hold a secret, a certifier or an ENVID; a message is named by
// short_text() of its MessageKey. The functions are thread-safe after open(), which must be called
// before threads start; without open(), lines of level info and above go to standard error. They
// never throw and ignore a sink that fails, because there is nowhere to report it. The program
// itself must ignore SIGPIPE.
namespace mtrk::log {

enum class Level { debug, info, notice, warning, error };
// Lines for standard_error begin with <N> if journald reads them.
enum class Sink { standard_error, syslog };

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

// Returns the line without prefix and newline, as the sink receives it. Tests use it.
[[nodiscard]] std::string format_line(std::string_view queue_id, Fields fields);

}  // namespace mtrk::log
