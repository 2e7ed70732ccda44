#include "milter/base/thread_policy.h"

#include <sched.h>

namespace mtrk {

void let_others_finish() noexcept {
  if (::sched_getscheduler(0) == SCHED_OTHER) {
    const sched_param none{};
    ::sched_setscheduler(0, SCHED_BATCH, &none);
  }
}

}  // namespace mtrk
