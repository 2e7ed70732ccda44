#pragma once

#include "milter/ctl/find/criteria.h"
#include "milter/ctl/find/log_set.h"
#include "milter/ctl/log_reader.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// search() finds the lines that a question is about without parsing the others:
//
//   1. A pass over the raw octets looks for one text that the messages must show (Anchor). That
//      gives queue ids. If there is no such text, all ids of the period are taken.
//   2. A pass collects the lines of these ids, recognized by the id at its place. On the way it
//      finds the other ids that they are linked to: forwarded, requeued, filtered, cloned or split;
//      and, by Message-Id, what may have come back without a word.
//   3. The second pass is repeated for new ids until there are none. Most often there are none
//      after the first time.
//
// So everything that explain would read about a message is collected, and the same code
// (milter/ctl/story.h) judges what became of it. Lines collected in excess cost nothing but speed.
// The memory is that of the found lines and of filters of fixed size.
namespace mtrk::find {

struct FoundLine {
  Place place = 0;
  std::string_view text;
  std::uint32_t id = 0;  // index into Found::ids
};

struct Found {
  std::vector<std::string> ids;
  // Each group holds the ids that may belong to one message. The groups are in the order in which
  // the logs first mention them.
  struct Group {
    std::vector<std::uint32_t> ids;
    std::vector<FoundLine> lines;  // in their order
  };
  std::vector<Group> groups;
  std::vector<FoundLine> refusals;  // those without a queue id, in their order

  // A Manager is the host and the tag of a queue manager ("mx", "postfix-out/qmgr").
  struct Manager {
    std::string host, program;
  };
  std::vector<Manager> managers;

  struct LogFacts {
    std::optional<LogTime> begins, ends;
    std::uint64_t lines = 0;
    maillog::LogFormatTally format;
  };
  std::vector<LogFacts> logs;
  std::optional<LogTime> begins, ends;  // of all logs together

  std::vector<std::unique_ptr<std::string>> texts;  // the texts that the lines point to
};

struct SearchOptions {
  Mta mta = Mta::postfix;
  std::vector<std::string> filters;  // from log.filters
  Seconds queue_lifetime{0};
};

// Throws what LogSet::scan() throws.
[[nodiscard]] Found search(LogSet& logs,
                           const Criteria& criteria,
                           const SearchOptions& options,
                           const LogSet::Progress& progress);

}  // namespace mtrk::find
