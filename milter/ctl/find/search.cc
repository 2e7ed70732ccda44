#include "milter/ctl/find/search.h"

#include "common/base/ascii.h"
#include "common/maillog/line_ends.h"
#include "milter/ctl/find/needle.h"
#include "milter/ctl/find/refusal.h"
#include "milter/ctl/find/skim.h"
#include "milter/ctl/find/tables.h"
#include "milter/ctl/find/token_scan.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <unordered_map>
#include <utility>

namespace mtrk::find {
namespace {

constexpr int kMostPasses = 24;             // no chain of forwards may be deeper
constexpr std::uint32_t kMostOfOneId = 64;  // queue ids that one Message-Id may add
constexpr std::size_t kArena = std::size_t{1} << 20;
constexpr std::size_t kMostTokens = 4096;  // queue ids that are looked for in raw text
constexpr std::size_t kSample = 32;        // lines per block
constexpr std::uint64_t kSmall = std::uint64_t{4} << 20;

// An Arena keeps copies of lines, which do not move.
class Arena {
 public:
  std::string_view keep(std::string_view text) {
    if (blocks_.empty() || blocks_.back()->size() + text.size() > blocks_.back()->capacity()) {
      blocks_.push_back(std::make_unique<std::string>());
      blocks_.back()->reserve(std::max(kArena, text.size()));
    }
    std::string& block = *blocks_.back();
    const std::size_t at = block.size();
    block.append(text);
    return std::string_view(block).substr(at);
  }
  std::vector<std::unique_ptr<std::string>>& blocks() { return blocks_; }

 private:
  std::vector<std::unique_ptr<std::string>> blocks_;
};

// Seen is what one thread saw of one log.
struct Seen {
  maillog::LogFormatTally format;
  std::uint64_t lines = 0;
  std::optional<LogTime> begins, ends;
};

struct NewId {
  std::string id;
  std::optional<std::uint32_t> of;  // the id to which it is linked
  bool by_message_id = false;
};
struct NamedBy {  // for a message-id= record
  std::uint64_t hash = 0;
  std::uint32_t id = 0;
};

struct Worker {
  Arena arena;
  std::vector<FoundLine> lines;
  std::vector<FoundLine> refusals;
  std::vector<NewId> ids;
  std::vector<NamedBy> message_ids;
  // The ids whose mail may have come back, and the ids of what may have come back.
  std::vector<std::uint32_t> returns;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> joined;
  std::vector<Found::Manager> managers;
  std::string last_manager;
  std::vector<Seen> seen;
  HashTable known;  // ids that are in `ids` already
  maillog::StampMemo memo;
  std::optional<std::size_t> memo_log;
  maillog::StampContext stamps;
};

class Search {
 public:
  Search(LogSet& logs,
         const Criteria& criteria,
         const SearchOptions& options,
         const LogSet::Progress& progress)
      : logs_(logs),
        criteria_(criteria),
        options_(options),
        progress_(progress),
        anchor_(anchor_of(criteria)),
        workers_(logs.workers()) {
    std::random_device device;
    seed_ = std::uint64_t{device()} << 32 | device();
    for (std::size_t log = 0; log < logs.size(); ++log) {
      framed_.push_back(logs.log(log).beginning().find("{\"") != std::string::npos);
      plain_.push_back(!framed_.back() && is_plain_log(logs.log(log)));
    }
    for (Worker& worker : workers_) {
      worker.seen.resize(logs.size());
    }
  }

  Found run() {
    if (anchor_.by == Anchor::By::queue_id) {
      take_id({criteria_.queue_id, std::nullopt});
    } else {
      const Needle* needle = nullptr;
      std::optional<Needle> made;
      if (!anchor_.needle.empty()) {
        needle = &made.emplace(anchor_.needle, sample());
      }
      logs_.scan([&](Block& block, unsigned worker) { look(block, workers_[worker], needle); },
                 progress_);
      take_new_ids();
    }
    for (pass_ = 0; pass_ < kMostPasses && (pass_ == 0 || something_new_); ++pass_) {
      something_new_ = false;
      tokens_.prepare();
      logs_.scan([&](Block& block, unsigned worker) { collect(block, workers_[worker]); },
                 progress_);
      fresh_ = HashTable();
      fresh_message_ids_ = HashTable();
      tokens_ = TokenScan();
      take_message_ids();
      take_new_ids();
    }
    return put_together();
  }

 private:
  // Decides by the beginning of the log. All lines of a small log are examined one by one.
  static bool is_plain_log(const Log& log) {
    std::string_view lines = log.beginning();
    if (log.octets_of_text() <= kSmall ||
        to_lower(lines).find("mailscanner") != std::string::npos) {
      return false;  // MailScanner's records have their queue ids at another place
    }
    while (!lines.empty()) {
      const std::string_view line = take_line(lines);
      if (maillog::record_of(line).size() != line.size() && !lines.empty()) {
        return false;
      }
    }
    return true;
  }
  [[nodiscard]] std::string sample() const {
    return logs_.size() == 0 ? std::string() : logs_.log(logs_.size() - 1).beginning();
  }

  // Returns the record of a line with any header. If the line had to be split, `parts` has the
  // result.
  std::string_view record_of_line(std::string_view line,
                                  Place place,
                                  Worker& worker,
                                  std::optional<maillog::LogLine>& parts) const {
    const std::string_view record = skim_header(line);
    if (!record.empty()) {
      return record;
    }
    parts = split(line, place, worker);
    return parts ? parts->text : std::string_view();
  }
  std::optional<maillog::LogLine> split(std::string_view line, Place place, Worker& worker) const {
    use_stamps(place, worker);
    return maillog::split_log_line(line, worker.stamps, &worker.memo);
  }
  void use_stamps(Place place, Worker& worker) const {
    const std::size_t log = log_of(place);
    maillog::StampContext stamps = logs_.log(log).stamps(place & ((Place{1} << kOffsetBits) - 1));
    if (worker.memo_log != log || stamps.reference != worker.stamps.reference) {
      worker.memo = {};
      worker.memo_log = log;
      worker.stamps = stamps;
    }
  }

  // This is the first pass.
  void look(Block& block, Worker& worker, const Needle* needle) const {
    if (needle == nullptr) {
      for_each_line(block, [&](std::string_view line, Place place) { hit(line, place, worker); });
      return;
    }
    if (framed_[block.log]) {
      for_each_line(block, [&](std::string_view line, Place place) {
        const std::optional<maillog::LogLine> parts = split(line, place, worker);
        if (parts && needle->find(parts->text, 0) != std::string_view::npos) {
          hit(line, place, worker);
        }
      });
      return;
    }
    const std::string_view lines = block.lines;
    for (std::size_t at = needle->find(lines, 0); at != std::string_view::npos;) {
      const void* const before = ::memrchr(lines.data(), '\n', at);
      const std::size_t begin =
          before == nullptr
              ? 0
              : static_cast<std::size_t>(static_cast<const char*>(before) - lines.data()) + 1;
      const std::size_t end = std::min(lines.find('\n', at), lines.size());
      hit(lines.substr(begin, end - begin), block.place + begin, worker);
      at = end + 1 >= lines.size() ? std::string_view::npos : needle->find(lines, end + 1);
    }
  }

  template <typename Visit>
  static void for_each_line(const Block& block, Visit visit) {
    std::string_view lines = block.lines;
    while (!lines.empty()) {
      const Place place = block.place + static_cast<Place>(lines.data() - block.lines.data());
      const std::string_view line = take_line(lines);
      visit(line, place);
    }
  }

  void hit(std::string_view line, Place place, Worker& worker) const {
    if (line.size() > LogReader::kLongestLine) {
      return;
    }
    std::optional<maillog::LogLine> parts;
    const std::string_view record = record_of_line(line, place, worker, parts);
    const std::string_view id = queue_id_of(record);
    const bool refused = id.empty() && record.starts_with("NOQUEUE: ");
    if ((id.empty() && !refused) || (!id.empty() && is_beside(behind_id(record, id)))) {
      return;
    }
    if (refused && !may_be_without_id()) {
      return;
    }
    if (criteria_.period.since || criteria_.period.until) {
      parts = parts ? parts : split(line, place, worker);
      if (!parts || !may_be_in_period(parts->at)) {
        return;
      }
    }
    if (refused) {
      worker.refusals.push_back({place, worker.arena.keep(maillog::record_of(line)), 0});
    } else if (worker.known.insert(hash_of(id, seed_), 0)) {
      worker.ids.push_back({std::string(id), std::nullopt});
    }
  }
  // Returns whether a record contains the anchor only where it means something else.
  [[nodiscard]] bool is_beside(std::string_view text) const {
    switch (anchor_.by) {
      case Anchor::By::to:
        return text.starts_with("from=<") && text.find(", to=<") == std::string_view::npos;
      case Anchor::By::from:
      case Anchor::By::client:
      case Anchor::By::user:
        return text.starts_with("to=<");
      default:
        return false;
    }
  }
  [[nodiscard]] bool may_be_without_id() const {
    return criteria_.message_id.empty() && criteria_.queue_id.empty();
  }
  // The log mentions a message of the period between its arrival and the end of its time in the
  // queue.
  [[nodiscard]] bool may_be_in_period(LogTime at) const {
    const Period& period = criteria_.period;
    return (!period.since || at >= *period.since) &&
           (!period.until || at < *period.until + options_.queue_lifetime + std::chrono::days(1));
  }

  // These are the later passes.
  void collect(Block& block, Worker& worker) const {
    if (pass_ == 0) {
      note_ends(block, worker, worker.seen[block.log]);
    }
    if (!is_quick(block.log)) {
      for_each_line(block, [&](std::string_view line, Place place) {
        examine(line, place, pass_ == 0, worker);
      });
      return;
    }
    if (pass_ == 0) {
      examine_sample(block, worker);
    }
    std::size_t done = 0;  // all lines before it have been examined
    const auto look = [&](std::size_t at) {
      if (at >= done) {
        done = examine_line_at(block, at, worker);
      }
    };
    tokens_.scan(block.lines, look);
    const auto look_at_all = [&](const Needle& needle) {
      for (std::size_t at = needle.find(block.lines, 0); at != std::string_view::npos;) {
        const std::size_t end = examine_line_at(block, at, worker);
        at = end >= block.lines.size() ? std::string_view::npos : needle.find(block.lines, end);
      }
    };
    if (!fresh_.empty()) {
      look_at_all(origin_);
    }
    if (!fresh_message_ids_.empty()) {
      look_at_all(message_id_);
    }
  }

  // Returns whether places in the text lead to all lines that matter. Otherwise each line is
  // examined: if there are many, if records may continue in further lines, or if something follows
  // the records.
  [[nodiscard]] bool is_quick(std::size_t log) const {
    return options_.mta == Mta::postfix && plain_[log] && tokens_.size() <= kMostTokens;
  }

  // Examines a line and returns where the next one begins. A line may be examined several times.
  std::size_t examine_line_at(const Block& block, std::size_t at, Worker& worker) const {
    const std::string_view lines = block.lines;
    const void* const before = ::memrchr(lines.data(), '\n', at);
    const std::size_t begin =
        before == nullptr
            ? 0
            : static_cast<std::size_t>(static_cast<const char*>(before) - lines.data()) + 1;
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    examine(lines.substr(begin, end - begin), block.place + begin, false, worker);
    return end + 1;
  }

  // Examines some lines of a block, to see whether the format of the log is known.
  void examine_sample(const Block& block, Worker& worker) const {
    std::string_view lines = block.lines;
    for (std::size_t i = 0; i < kSample && !lines.empty(); ++i) {
      const Place place = block.place + static_cast<Place>(lines.data() - block.lines.data());
      const std::string_view line = take_line(lines);
      if (line.size() <= LogReader::kLongestLine) {
        std::optional<maillog::LogLine> parts;
        ++worker.seen[block.log].lines;
        tally(line, place, worker, parts, worker.seen[block.log]);
      }
    }
  }

  void examine(std::string_view line, Place place, bool first, Worker& worker) const {
    Seen& seen = worker.seen[log_of(place)];
    seen.lines += first ? 1U : 0U;
    if (line.size() > LogReader::kLongestLine) {
      return;
    }
    std::optional<maillog::LogLine> parts;
    const std::string_view record = record_of_line(line, place, worker, parts);
    if (first && (record.empty() || parts || !seen.format.mail())) {
      tally(line, place, worker, parts, seen);
    }
    const std::string_view id = queue_id_of(record);
    if (id.empty()) {
      if (record.starts_with("Requeue: ")) {
        examine_requeue(line, place, worker);
      }
      return;
    }
    const std::string_view text = maillog::record_of(behind_id(record, id));
    const std::uint64_t hash = hash_of(id, seed_);
    if (const std::optional<std::uint32_t> own = fresh_.find(hash)) {
      take(line, place, text, *own, worker);
    } else {
      follow(text, id, hash, worker);
    }
  }

  // Reads MailScanner's "Requeue: OLD to NEW".
  void examine_requeue(std::string_view line, Place place, Worker& worker) const {
    const std::optional<maillog::LogLine> parts = split(line, place, worker);
    maillog::DeliveryEvent event;
    if (!parts || maillog::parse_postfix(*parts, event) != maillog::LineKind::events) {
      return;
    }
    const std::string_view origin = maillog::origin_of(event);
    const std::optional<std::uint32_t> own = fresh_.find(hash_of(event.queue_id, seed_));
    const std::optional<std::uint32_t> other = fresh_.find(hash_of(origin, seed_));
    if (own) {
      worker.lines.push_back({place, worker.arena.keep(maillog::record_of(line)), *own});
      worker.ids.push_back({std::string(origin), *own});
    } else if (other) {
      worker.ids.push_back({std::string(event.queue_id), *other});
    }
  }

  // Follows the links from a line of another message to what was found.
  void follow(std::string_view text,
              std::string_view id,
              std::uint64_t hash,
              Worker& worker) const {
    if (!fresh_.empty()) {
      for_each_link(text, [&](std::string_view named, bool) {
        if (const std::optional<std::uint32_t> other = fresh_.find(hash_of(named, seed_))) {
          worker.ids.push_back({std::string(id), *other});
        }
      });
    }
    if (!fresh_message_ids_.empty()) {
      if (const std::string_view message_id = message_id_of(text); !message_id.empty()) {
        const std::optional<std::uint32_t> other =
            fresh_message_ids_.find(hash_of(message_id, seed_));
        if (other && !table_.find(hash)) {
          worker.ids.push_back({std::string(id), *other, true});
        }
      }
    }
  }

  // Takes a line of what was found.
  void take(std::string_view line,
            Place place,
            std::string_view text,
            std::uint32_t own,
            Worker& worker) const {
    worker.lines.push_back({place, worker.arena.keep(maillog::record_of(line)), own});
    if (const std::string_view message_id = message_id_of(text); !message_id.empty()) {
      worker.message_ids.push_back({hash_of(message_id, seed_), own});
      return;
    }
    if (text.starts_with("from=<")) {
      note_manager(line, place, worker);
      return;
    }
    if (may_come_back(text) || may_have_come_back(text)) {
      worker.returns.push_back(own);
    }
    for_each_link(text, [&](std::string_view named, bool certain) {
      if (!certain && !is_handed_to_this_host(text) && !is_for_filter(text)) {
        return;
      }
      if (const std::optional<std::uint32_t> other = table_.find(hash_of(named, seed_))) {
        worker.joined.emplace_back(own, *other);
      } else {
        worker.ids.push_back({std::string(named), own});
      }
    });
  }
  [[nodiscard]] bool is_for_filter(std::string_view text) const {
    return std::any_of(options_.filters.begin(), options_.filters.end(),
                       [text](const std::string& filter) {
                         const std::size_t colon = std::min(filter.rfind(':'), filter.size());
                         return text.find(filter.substr(0, colon)) != std::string_view::npos;
                       });
  }

  // Returns whether mail was passed to something on this host, while no line says what became of it
  // there.
  [[nodiscard]] bool may_come_back(std::string_view text) const {
    if (!text.starts_with("to=<") || text.find(", status=sent (") == std::string_view::npos) {
      return false;
    }
    const bool final = text.find(", relay=local,") != std::string_view::npos ||
                       text.find(", relay=virtual,") != std::string_view::npos ||
                       text.find(", relay=none,") != std::string_view::npos;
    if (final || !(is_handed_to_this_host(text) || is_for_filter(text))) {
      return false;
    }
    bool known = false;
    for_each_link(text, [&](std::string_view named, bool) {
      known = known || table_.find(hash_of(named, seed_)).has_value();
    });
    return !known;
  }
  // Returns whether the mail was submitted by something on this host.
  static bool may_have_come_back(std::string_view text) {
    if (text.starts_with("uid=")) {
      return link_of_client(text).empty();
    }
    return text.starts_with("client=") && link_of_client(text).empty() &&
           (text.find("[127.") != std::string_view::npos ||
            text.find("[::1]") != std::string_view::npos);
  }

  void note_manager(std::string_view line, Place place, Worker& worker) const {
    // Host and tag stand between stamp and queue id, and are nearly always the same as before.
    const std::size_t tag = line.find("qmgr[");
    if (tag == std::string_view::npos) {
      return;
    }
    const std::size_t blank = std::min(line.find(' ', kTraditionalStamp), tag);
    const std::string_view head = line.substr(blank, tag - blank);
    if (head == worker.last_manager) {
      return;
    }
    worker.last_manager = head;
    const std::optional<maillog::LogLine> parts = split(line, place, worker);
    const auto same = [&](const Found::Manager& known) {
      return known.host == parts->host && known.program == parts->program;
    };
    constexpr std::size_t kMost = 1024;
    if (parts && worker.managers.size() < kMost &&
        std::none_of(worker.managers.begin(), worker.managers.end(), same)) {
      worker.managers.push_back({std::string(parts->host), std::string(parts->program)});
    }
  }

  void note_ends(const Block& block, Worker& worker, Seen& seen) const {
    std::string_view lines = block.lines;
    if (lines.empty()) {
      return;
    }
    const auto note_at = [&](std::string_view line, std::size_t offset) {
      if (const auto parts = split(line, block.place + offset, worker)) {
        seen.begins = std::min(seen.begins.value_or(parts->at), parts->at);
        seen.ends = std::max(seen.ends.value_or(parts->at), parts->at);
      }
    };
    note_at(lines.substr(0, lines.find('\n')), 0);
    if (lines.back() == '\n') {
      lines.remove_suffix(1);
    }
    const std::size_t feed = lines.rfind('\n');
    const std::size_t begin = feed == std::string_view::npos ? 0 : feed + 1;
    note_at(lines.substr(begin), begin);
  }

  void tally(std::string_view line,
             Place place,
             Worker& worker,
             std::optional<maillog::LogLine>& parts,
             Seen& seen) const {
    const std::string_view text = maillog::record_of(line);
    if (!parts) {
      parts = split(text, place, worker);
    }
    if (!parts) {
      seen.format.unknown(text);
      return;
    }
    maillog::LineKind kind = maillog::LineKind::ignored;
    if (!seen.format.mail()) {
      maillog::LogParser parser(options_.mta);
      kind = parser.parse(*parts, [](const maillog::DeliveryEvent&) {});
    }
    seen.format.known(text, *parts, kind);
  }

  // These functions run between the passes.
  void take_id(const NewId& id) {
    const std::uint64_t hash = hash_of(id.id, seed_);
    std::optional<std::uint32_t> number = table_.find(hash);
    if (!number) {
      if (!QueueId::is_queue_id(id.id)) {
        return;
      }
      number = groups_.add();
      ids_.push_back(id.id);
      table_.insert(hash, *number);
      fresh_.insert(hash, *number);
      tokens_.add(id.id);
      something_new_ = true;
    }
    if (id.of) {
      groups_.join(*id.of, *number);
    }
  }

  void take_new_ids() {
    for (Worker& worker : workers_) {
      for (const NewId& id : worker.ids) {
        take_id(id);
      }
      worker.ids.clear();
      worker.known = HashTable();
      for (const auto& [a, b] : worker.joined) {
        groups_.join(a, b);
      }
      worker.joined.clear();
    }
  }

  // Takes the Message-Ids with which mail may have come back.
  void take_message_ids() {
    for (Worker& worker : workers_) {
      for (const NamedBy& named : worker.message_ids) {
        message_id_of_.resize(std::max<std::size_t>(message_id_of_.size(), named.id + 1));
        message_id_of_[named.id] = named.hash;
        MessageIds& all = message_ids_[named.hash];
        if (all.count == 0) {
          all.first = named.id;
        } else if (all.count < kMostOfOneId) {
          groups_.join(all.first, named.id);
        }
        ++all.count;
      }
      worker.message_ids.clear();
    }
    for (Worker& worker : workers_) {
      for (const std::uint32_t id : worker.returns) {
        const std::uint64_t hash = id < message_id_of_.size() ? message_id_of_[id] : 0;
        if (hash != 0 && !std::exchange(message_ids_[hash].asked, true)) {
          fresh_message_ids_.insert(hash, id);
          something_new_ = true;
        }
      }
      worker.returns.clear();
    }
    // A Message-Id that a program gives to all its mail may add only a few ids.
    std::unordered_map<std::uint32_t, std::uint32_t> brought;
    for (Worker& worker : workers_) {
      std::erase_if(worker.ids, [&](const NewId& id) {
        return id.by_message_id && ++brought[*id.of] > kMostOfOneId;
      });
    }
  }

  Found put_together() {
    Found found;
    found.ids = std::move(ids_);
    std::vector<FoundLine> lines;
    for (Worker& worker : workers_) {
      lines.insert(lines.end(), worker.lines.begin(), worker.lines.end());
      found.refusals.insert(found.refusals.end(), worker.refusals.begin(), worker.refusals.end());
      for (Found::Manager& manager : worker.managers) {
        found.managers.push_back(std::move(manager));
      }
      for (std::unique_ptr<std::string>& block : worker.arena.blocks()) {
        found.texts.push_back(std::move(block));
      }
    }
    const auto earlier = [](const FoundLine& a, const FoundLine& b) { return a.place < b.place; };
    std::sort(lines.begin(), lines.end(), earlier);
    const auto same = [](const FoundLine& a, const FoundLine& b) { return a.place == b.place; };
    lines.erase(std::unique(lines.begin(), lines.end(), same), lines.end());
    std::sort(found.refusals.begin(), found.refusals.end(), earlier);
    std::vector<std::uint32_t> group_of(found.ids.size(), kNoGroup);
    for (const FoundLine& line : lines) {
      const std::uint32_t first = groups_.find(line.id);
      if (group_of[first] == kNoGroup) {
        group_of[first] = static_cast<std::uint32_t>(found.groups.size());
        found.groups.emplace_back();
      }
      found.groups[group_of[first]].lines.push_back(line);
    }
    for (std::uint32_t id = 0; id < found.ids.size(); ++id) {
      if (const std::uint32_t group = group_of[groups_.find(id)]; group != kNoGroup) {
        found.groups[group].ids.push_back(id);
      }
    }
    found.logs.resize(logs_.size());
    for (std::size_t log = 0; log < logs_.size(); ++log) {
      Found::LogFacts& facts = found.logs[log];
      for (Worker& worker : workers_) {
        Seen& seen = worker.seen[log];
        facts.lines += seen.lines;
        facts.format += seen.format;
        if (seen.begins) {
          facts.begins = std::min(facts.begins.value_or(*seen.begins), *seen.begins);
          facts.ends = std::max(facts.ends.value_or(*seen.ends), *seen.ends);
        }
      }
      if (facts.begins) {
        found.begins = std::min(found.begins.value_or(*facts.begins), *facts.begins);
        found.ends = std::max(found.ends.value_or(*facts.ends), *facts.ends);
      }
    }
    return found;
  }

  static constexpr std::uint32_t kNoGroup = 0xFFFFFFFF;
  static constexpr std::size_t kTraditionalStamp = 15;

  struct MessageIds {
    std::uint32_t first = 0;  // a queue id
    std::uint32_t count = 0;
    bool asked = false;
  };

  LogSet& logs_;
  const Criteria& criteria_;
  const SearchOptions& options_;
  const LogSet::Progress& progress_;
  Anchor anchor_;
  std::uint64_t seed_ = 0;
  std::vector<bool> plain_;   // whether nothing follows the records in the lines of a log
  std::vector<bool> framed_;  // whether the lines of a log are encoded in JSON
  std::vector<Worker> workers_;

  // These members change only between the passes.
  int pass_ = 0;
  bool something_new_ = false;
  std::vector<std::string> ids_;
  HashTable table_;   // of all ids
  HashTable fresh_;   // of the ids whose lines the next pass takes
  TokenScan tokens_;  // of the same ids
  HashTable fresh_message_ids_;
  Groups groups_;
  std::unordered_map<std::uint64_t, MessageIds> message_ids_;
  std::vector<std::uint64_t> message_id_of_;  // indexed by queue id; 0 if unknown

  const Needle origin_{"_id=", {}};  // finds orig_queue_id= and orig_id=
  const Needle message_id_{"message-id=", {}};
};

}  // namespace

Found search(LogSet& logs,
             const Criteria& criteria,
             const SearchOptions& options,
             const LogSet::Progress& progress) {
  return Search(logs, criteria, options, progress).run();
}

}  // namespace mtrk::find
