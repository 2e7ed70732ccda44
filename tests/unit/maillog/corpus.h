#pragma once

#include "common/maillog/delivery_trace.h"
#include "common/maillog/log_line.h"
#include "common/maillog/log_parser.h"
#include "common/maillog/trace_router.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Real logs with known outcomes (tests/data/logs/postfix) and the means to run a log through
// parser, router and traces as a test.
namespace mtrk::maillog {

[[nodiscard]] std::vector<std::string> corpus_logs();  // file names, sorted
[[nodiscard]] std::string read_corpus(const std::string& name);
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

inline const StampContext kCorpusContext{std::chrono::sys_days(std::chrono::year{2026} / 11 / 22),
                                         Minutes(0)};

// Traces in memory, made beforehand for the queue ids that count.
class MemoryIndex : public TraceIndex {
 public:
  DeliveryTrace& add(std::string_view queue_id,
                     std::vector<std::string> recipients,
                     Recipients mode = Recipients::captured);
  [[nodiscard]] DeliveryTrace* find(std::string_view queue_id) override;
  void bind(std::string_view queue_id, DeliveryTrace& trace) override;
  void changed(DeliveryTrace& trace,
               std::span<const std::size_t> recipients,
               const DeliveryEvent& event) override;

  std::size_t changes = 0;

 private:
  std::vector<std::unique_ptr<DeliveryTrace>> traces_;
  std::map<std::string, DeliveryTrace*, std::less<>> index_;
};

struct LineCounts {
  std::size_t events = 0;
  std::size_t ignored = 0;
  std::size_t unparsed = 0;
};
LineCounts run_log(std::string_view log,
                   TraceRouter& router,
                   TraceIndex& index,
                   Mta mta = Mta::postfix);

}  // namespace mtrk::maillog
