#include "mtqpd/metrics/counters.h"

namespace mtrk::mtqpd {

const std::array<CounterText, ServerCounters::kNames>& counter_texts() {
  static constexpr std::array<CounterText, ServerCounters::kNames> kTexts{{
      {"connections", "Connections admitted."},
      {"turned_away", "Connections over a limit."},
      {"penalised", "Connections refused after offences of their address."},
      {"evicted", "Idle connections ended to make room."},
      {"timed_out", "Connections ended by a deadline."},
      {"misbehaved", "Connections ended for their input."},
      {"handshakes", "TLS handshakes completed."},
      {"handshakes_failed", "TLS handshakes that failed."},
      {"commands", "Command lines, good and bad."},
      {"found", "Queries answered with a report."},
      {"no_information", "Queries answered noinfo."},
      {"unavailable", "Queries answered unavailable or admin."},
      {"throttled", "Queries refused after too many misses of their address."},
      {"chained", "Answers completed by asking other servers."},
      {"chained_not", "Queries that other servers were asked about in vain."},
  }};
  return kTexts;
}

}  // namespace mtrk::mtqpd
