#include "common/store/store_stats.h"

#include "common/base/codec.h"
#include "common/store/store_rows.h"

namespace mtrk::store {

StoreStats read_stats(Env& env, const Databases& databases) {
  StoreStats stats = read_whole(env, [&](const ReadTxn& txn) {
    StoreStats counted;
    counted.messages = txn.entries(databases.message);
    counted.traces = txn.entries(databases.trace);
    counted.queue_ids = txn.entries(databases.queue);
    counted.corrupt = txn.entries(databases.aside);
    Cursor expiry(txn, databases.expiry);
    if (const auto oldest = expiry.first()) {
      std::string_view key = oldest->key;
      static_cast<void>(get_u64(key, counted.oldest_expiry));
    }
    return counted;
  });
  const Env::Pages pages = env.pages();
  stats.octets_used = (pages.high_mark - env.count_free_pages()) * pages.size;
  stats.octets_max = pages.map * pages.size;
  return stats;
}

}  // namespace mtrk::store
