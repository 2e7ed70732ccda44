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

// The lines of the logs that a question is about, found without parsing the others:
//
//   1. a pass over the raw octets for one text that the messages asked for must show (Anchor),
//   which
//      gives queue ids; without such a text, all ids of the period
//   2. a pass that takes the lines of these ids by the id at its place, and on the way sees which
//      other ids they are linked to: forwarded, requeued, filtered, cloned, split; and, by
//      Message-Id, what may have come back without a word
//   3. the same for ids that are new, until there are none (most often there are none after 2)
//
// So what is collected of a message is all that explain would read of it, and the same machinery
// (milter/ctl/story.h) tells what became of it. What this collects in excess does no harm but to
// speed. Memory: the lines that were found, and filters of fixed size.
namespace mtrk::find {

struct FoundLine {
  Place place = 0;
  std::string_view text;
  std::uint32_t id = 0;  // index into Found::ids
};

struct Found {
  std::vector<std::string> ids;
  // Ids that may be of one message, those of each together; the groups in the order in which the
  // logs begin to speak of them.
  struct Group {
    std::vector<std::uint32_t> ids;
    std::vector<FoundLine> lines;  // in their order
  };
  std::vector<Group> groups;
  std::vector<FoundLine> refusals;  // without a queue id; in their order

  // Host and tag of each queue manager ("mx", "postfix-out/qmgr").
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
  std::optional<LogTime> begins, ends;  // of all

  std::vector<std::unique_ptr<std::string>> texts;  // what the lines point to
};

struct SearchOptions {
  Mta mta = Mta::postfix;
  std::vector<std::string> filters;  // log.filters
  Seconds queue_lifetime{0};
};

// Fails: as LogSet::scan().
[[nodiscard]] Found search(LogSet& logs,
                           const Criteria& criteria,
                           const SearchOptions& options,
                           const LogSet::Progress& progress);

}  // namespace mtrk::find
