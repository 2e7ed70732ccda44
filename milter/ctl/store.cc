#include "milter/ctl/store.h"

#include "common/base/exit_code.h"
#include "common/base/host_name.h"
#include "common/base/print_error.h"
#include "common/base/process.h"
#include "common/store/store_error.h"

#include <exception>
#include <system_error>

namespace mtrk {

store::WriterOptions writer_options(const Config& config) {
  store::WriterOptions options;
  options.path = config.store.path;
  options.max_size = config.store.max_size;
  options.default_retention = config.retention.default_;
  options.maximum_retention = config.retention.maximum;
  options.trace = {config.log.queue_lifetime, config.log.filters, config.gate.outbound.listen};
  options.host = system_host_name();
  return options;
}

MtaName reporting_mta(const Config& config) {
  if (!config.hostname.empty()) {
    return local_mta_name(config.hostname);
  }
  const std::string name = system_host_name();
  return local_mta_name(name.empty() ? "localhost" : name);
}

int with_store_errors(const std::function<int()>& command) noexcept {
  try {
    return command();
  } catch (const store::StoreUnusable& error) {
    print_error("mtrkctl: {}\n", error.what());
    return error.exit_code();
  } catch (const store::StoreError& error) {
    print_error("mtrkctl: {}\n", error.what());
    return store::is_full(error) ? exit_code::temp_fail : exit_code::io_error;
  } catch (const std::system_error& error) {
    if (!is_output_error(error)) {
      print_error("mtrkctl: {}\n", error.what());
    }
    return exit_code::io_error;
  } catch (const std::exception& error) {
    print_error("mtrkctl: {}\n", error.what());
    return exit_code::software;
  }
}

}  // namespace mtrk
