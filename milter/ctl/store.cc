#include "milter/ctl/store.h"

#include "common/base/ascii.h"
#include "common/base/exit_code.h"
#include "common/base/host_name.h"
#include "common/base/print_error.h"
#include "common/base/process.h"
#include "common/store/store_error.h"

#include <fmt/format.h>

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
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

namespace {

std::array<char, 512> fault_text;  // formatted in advance, because a signal handler must not format
std::size_t fault_length = 0;

extern "C" void end_by_fault(int /*signal*/) {
  static_cast<void>(!::write(STDERR_FILENO, fault_text.data(), fault_length));
  ::_exit(exit_code::io_error);
}

// Must be called before the store is opened, because opening it may already cause a fault.
store::WriterOptions with_faults_told(store::WriterOptions options) {
  const auto end = fmt::format_to_n(
      fault_text.data(), fault_text.size(),
      "mtrkctl: store {}: cut off or damaged while it was open.\n"
      "mtrkctl: What was committed before counts, the rest does not: mend the store\n"
      "mtrkctl: (mtrk-milter sets a damaged one aside), then do the same again.\n",
      escape_for_people(options.path, 200));
  fault_length = static_cast<std::size_t>(end.out - fault_text.data());
  struct sigaction action {};
  action.sa_handler = end_by_fault;
  sigemptyset(&action.sa_mask);
  for (const int fault : {SIGBUS, SIGSEGV, SIGABRT}) {
    ::sigaction(fault, &action, nullptr);
  }
  return options;
}

}  // namespace

CheckedWriter::CheckedWriter(const Config& config)
    : writer_(with_faults_told(writer_options(config)), store::Create::if_missing) {}

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
