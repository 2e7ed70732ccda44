#include "milter/ctl/find/finder.h"

#include "milter/ctl/log_reader.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

namespace mtrk::find {
namespace {

constexpr std::size_t kBatch = 256;  // queue ids that one teller is asked for at a time

Mta owner_of(const LogSet& logs, const FinderOptions& options) {
  if (options.mta) {
    return *options.mta;
  }
  for (std::size_t i = logs.size(); i-- > 0;) {
    if (const auto mta = maillog::guess_mta(logs.log(i).beginning(), logs.log(i).stamps(0))) {
      return *mta;
    }
  }
  return options.config.log.mta;
}

// Turns groups of lines into rows, with all cores. Each thread takes some groups at a time, has a
// teller of its own for them, and keeps only the rows.
std::vector<Row> rows_of(const LogSet& logs,
                         const Found& found,
                         Mta mta,
                         const FinderOptions& options,
                         const Criteria& criteria,
                         const RowOptions& row_options,
                         std::size_t& all) {
  const maillog::TracePolicy policy{options.config.log.queue_lifetime, options.config.log.filters,
                                    options.config.gate.outbound.listen};
  const std::vector<std::string> asked = asked_recipients(criteria);
  const auto stamps = [&logs](std::uint64_t place) {
    return logs.log(log_of(place)).stamps(place & ((Place{1} << kOffsetBits) - 1));
  };
  std::atomic<std::size_t> next{0};
  std::vector<std::size_t> ends;  // where each batch ends
  for (std::size_t i = 0, ids = 0; i < found.groups.size(); ++i) {
    ids += found.groups[i].ids.size();
    if (ids >= kBatch || i + 1 == found.groups.size()) {
      ends.push_back(i + 1);
      ids = 0;
    }
  }
  std::mutex mutex;
  std::exception_ptr failure;
  std::vector<Row> rows;
  const auto newer = [](const Row& a, const Row& b) {
    return a.arrival != b.arrival ? a.arrival < b.arrival : a.place < b.place;
  };
  const auto keep = [&](std::vector<Row>& some) {
    const std::lock_guard lock(mutex);
    all += some.size();
    rows.insert(rows.end(), std::make_move_iterator(some.begin()),
                std::make_move_iterator(some.end()));
    if (options.limit > 0 && rows.size() > 2 * options.limit + 1024) {
      std::stable_sort(rows.begin(), rows.end(), newer);
      rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(options.limit));
    }
  };
  const auto work = [&] {
    try {
      for (std::size_t batch = next++; batch < ends.size(); batch = next++) {
        StoryTeller teller(policy);
        for (const Found::Manager& manager : found.managers) {
          maillog::DeliveryEvent event;
          event.what = maillog::Removed{"qmgr"};
          event.host = manager.host;
          event.program = manager.program;
          teller.learn(event);
        }
        Excerpt excerpt;
        excerpt.stamps = stamps;
        for (std::size_t i = batch == 0 ? 0 : ends[batch - 1]; i < ends[batch]; ++i) {
          for (const FoundLine& line : found.groups[i].lines) {
            excerpt.lines.push_back({line.place, line.text});
          }
          for (const std::uint32_t id : found.groups[i].ids) {
            if (const std::optional<QueueId> queue_id = QueueId::parse(found.ids[id])) {
              excerpt.queue_ids.push_back(found.ids[id]);
              teller.ask(*queue_id, asked);
            }
          }
        }
        std::sort(excerpt.lines.begin(), excerpt.lines.end(),
                  [](const auto& a, const auto& b) { return a.place < b.place; });
        std::vector<Row> some;
        add_rows(teller, excerpt, mta, policy, criteria, row_options, some);
        keep(some);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = failure ? failure : std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < logs.workers() && ends.size() > 1; ++i) {
      others.emplace_back(work);
    }
    work();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  std::vector<Row> some;
  maillog::StampMemo memo;
  for (const FoundLine& line : found.refusals) {
    memo = {};
    const auto parts = maillog::split_log_line(line.text, stamps(line.place), &memo);
    const auto refusal = parts ? parse_refusal(*parts) : std::nullopt;
    if (refusal) {
      if (std::optional<Row> row = row_of(*refusal, line.text, line.place, criteria, row_options)) {
        some.push_back(*std::move(row));
      }
    }
  }
  keep(some);
  std::stable_sort(rows.begin(), rows.end(), newer);
  if (options.limit > 0 && rows.size() > options.limit) {
    rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(options.limit));
  }
  return rows;
}

}  // namespace

Answer find_rows(LogSet& logs,
                 const Criteria& criteria,
                 const FinderOptions& options,
                 const LogSet::Progress& progress) {
  const SearchOptions search_options{owner_of(logs, options), options.config.log.filters,
                                     options.config.log.queue_lifetime};
  RowOptions row_options;
  row_options.format = options.format;
  row_options.style = options.style;
  // If another criterion identifies the message, its recipient need not be named.
  const bool told = criteria.from || !criteria.message_id.empty() || !criteria.queue_id.empty();
  row_options.take_possible = criteria.to && told;
  const auto look = [&](const Criteria& by) {
    Answer made;
    made.found = search(logs, by, search_options, progress);
    row_options.until = made.found.ends;
    made.rows =
        rows_of(logs, made.found, search_options.mta, options, criteria, row_options, made.all);
    return made;
  };
  Answer answer = look(criteria);
  if (answer.rows.empty() && criteria.to && told && anchor_of(criteria).by == Anchor::By::to) {
    // No line names such a recipient, but not all recipients are named: those of a message that was
    // never tried are not, and not all that are aliases of Sendmail are. So the messages that meet
    // the other criteria are examined.
    Criteria others = criteria;
    others.to.reset();
    answer = look(others);
  }
  return answer;
}

}  // namespace mtrk::find
