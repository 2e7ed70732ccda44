// Any octets as a log of Sendmail's: no crash, what is returned stands in the record, traces keep
// RFC 3886's rules, decode to what was encoded, and stay final once they are.
#include "common/maillog/log_parser.h"
#include "common/maillog/trace_router.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

namespace {

using mtrk::maillog::DeliveryEvent;
using mtrk::maillog::DeliveryTrace;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

const mtrk::maillog::TracePolicy kPolicy{};

class Index : public mtrk::maillog::TraceIndex {
 public:
  Index()
      : captured_(mtrk::QueueId::parse("6ALGjYoB029826").value(),
                  std::nullopt,
                  {"a@x", "b@x", "team@x"},
                  mtrk::maillog::Recipients::captured),
        collecting_(mtrk::QueueId::parse("6ALGjYoC029827").value(),
                    std::nullopt,
                    {},
                    mtrk::maillog::Recipients::collect) {
    ids_[captured_.root()] = &captured_;
    ids_[collecting_.root()] = &collecting_;
  }
  DeliveryTrace* find(std::string_view queue_id) override {
    const auto known = ids_.find(queue_id);
    return known == ids_.end() ? nullptr : known->second;
  }
  void bind(std::string_view queue_id, DeliveryTrace& trace) override {
    ids_.emplace(queue_id, &trace);
  }
  void changed(DeliveryTrace& trace,
               std::span<const std::size_t> recipients,
               const DeliveryEvent& /*event*/) override {
    for (const std::size_t recipient : recipients) {
      require(recipient < trace.recipients().size());
      const mtrk::Outcome outcome = trace.outcome(recipient, kPolicy);
      require(make_outcome(fields_of(outcome)).has_value());
      static_cast<void>(trace.via(recipient));
    }
    static_cast<void>(trace.queued());
  }
  void check() {
    for (DeliveryTrace* trace : {&captured_, &collecting_}) {
      std::string first;
      trace->encode(first);
      std::string_view in = first;
      mtrk::Expected<DeliveryTrace> again = DeliveryTrace::decode(in);
      require(again.has_value() && in.empty());
      std::string second;
      again->encode(second);
      require(first == second);
      for (std::size_t i = 0; i < trace->recipients().size(); ++i) {
        require(trace->outcome(i, kPolicy) == again->outcome(i, kPolicy));
      }
    }
  }

 private:
  DeliveryTrace captured_;
  DeliveryTrace collecting_;
  std::map<std::string, DeliveryTrace*, std::less<>> ids_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  {
    std::string_view in = rest;  // and as a stored trace
    static_cast<void>(DeliveryTrace::decode(in));
  }
  Index index;
  mtrk::maillog::TraceRouter router(kPolicy);
  mtrk::maillog::LogParser parser(mtrk::Mta::sendmail);
  mtrk::LogTime at{};
  while (!rest.empty()) {
    const std::size_t feed = std::min(rest.find('\n'), rest.size());
    mtrk::maillog::LogLine line{};
    line.at = at += mtrk::Seconds(1);
    line.program = "sm-mta";
    line.pid = feed % 2 == 0 ? 1 : 2;
    line.text = rest.substr(0, feed);
    rest.remove_prefix(std::min(feed + 1, rest.size()));
    static_cast<void>(parser.parse(line, [&](const DeliveryEvent& event) {
      require(event.queue_id.data() >= line.text.data());
      router.route(event, index);
    }));
  }
  index.check();
  return 0;
}
