#include "tests/soak/io_journal.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace mtrk::soak {

std::vector<IoEntry> read_io_journal(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error(path + ": cannot be read");
  }
  std::vector<IoEntry> entries;
  for (std::string head; std::getline(file, head);) {
    IoEntry entry{};
    std::size_t size = 0;
    if (!(std::istringstream(head) >> entry.kind >> entry.offset >> size)) {
      throw std::runtime_error(path + ": not an entry: " + head.substr(0, 80));
    }
    entry.octets.resize(size);
    file.read(entry.octets.data(), static_cast<std::streamsize>(size));
    if (file.get() != '\n') {
      throw std::runtime_error(path + ": an entry is cut off");
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace mtrk::soak
