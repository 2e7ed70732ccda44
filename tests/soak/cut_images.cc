// Makes the disks that a power cut could have left of a store, and asks each of them for all that
// had been acknowledged by then.
//
//   cut_images --journal FILE --told FILE --work FOLDER [options]
//     --journal FILE  what record_io wrote
//     --store FILE    what the store's file is in the end: else the journal is not whole, and
//     proves nothing
//     --told FILE     lines "WHO <tab> envelope id <tab> recipient": when WHO was acknowledged,
//     this message
//                     was. WHO is a queue id (acknowledged when "commit=done" was said of it), or
//                     the name of a process (when it ended with status 0)
//     --recover COMMAND  reads the mail log into the store FOLDER/image, as mtrk-milter does when
//     it starts
//     --images N      how many (200)
//     --first N       the number of the first one (1)
//     --seed N        of the cuts and of what is missing (1)
//     --only N        the image of that number alone; it stays in FOLDER
//     --no-syncs      the control: a disk that keeps no order at all, on which messages must get
//     lost
//
// The last line on standard output sums up. Exit status: 0 if every image is good, and a quarter of
// them lack something that was written but not synced (else the cuts show nothing).
#include "tests/soak/cut_disk.h"
#include "tests/soak/image_check.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace mtrk::soak;

struct Options {
  std::string journal;
  std::string store;
  std::string told;
  std::string work;
  std::string recover = "false";
  std::uint64_t images = 200;
  std::uint64_t first = 1;
  std::uint64_t seed = 1;
  std::uint64_t only = 0;
  bool syncs = true;
};

using Told = std::multimap<std::string, ToldMessage>;

Told read_told(const std::string& path) {
  std::ifstream file(path);
  Told told;
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      throw std::runtime_error(path + ": not a row: " + line);
    }
    told.emplace(line.substr(0, first),
                 ToldMessage{line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return told;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Who is acknowledged by this entry; "" if nobody is.
std::string acknowledged_by(const IoEntry& entry) {
  if (entry.kind == 'X') {
    return entry.offset == 0 ? entry.octets : "";
  }
  if (entry.kind != 'P' || entry.octets.find("commit=done") == std::string::npos) {
    return "";
  }
  const std::size_t begin = entry.octets.find(": ") + 2;  // PROGRAM: QUEUE-ID: FIELDS
  return entry.octets.substr(begin, entry.octets.find(':', begin) - begin);
}

bool changes_disk(const IoEntry& entry) {
  return std::string_view("WDST").find(entry.kind) != std::string_view::npos;
}

struct Cut {
  std::size_t entry;
  std::uint64_t image;  // its number, from 1
};

class Trial {
 public:
  explicit Trial(const Options& options)
      : options_(options),
        entries_(read_io_journal(options.journal)),
        told_(read_told(options.told)),
        disk_(options.syncs) {
    for (const IoEntry& entry : entries_) {
      if (entry.kind == 'B') {
        throw std::runtime_error("the store was written to in a way that was not recorded");
      }
    }
  }

  bool run() {
    std::size_t at = 0;
    for (const Cut& cut : cuts()) {
      for (; at < cut.entry; ++at) {
        happen(entries_[at]);
      }
      try_cut(cut);
    }
    for (; at < entries_.size(); ++at) {
      happen(entries_[at]);
    }
    if (!options_.store.empty() && disk_.whole() != contents(options_.store)) {
      throw std::runtime_error("the journal does not end with the store as it is: it is not whole");
    }
    std::printf("images=%llu bad=%llu lacking=%llu operations=%zu acknowledged=%zu told=%zu\n",
                static_cast<unsigned long long>(tried_), static_cast<unsigned long long>(bad_),
                static_cast<unsigned long long>(lacking_), operations_, acknowledged_.size(),
                told_.size());
    return bad_ == 0 && (lacking_ * 4 >= tried_ || options_.only != 0);
  }

 private:
  std::mt19937_64 random_of(std::uint64_t image) const {
    std::seed_seq seed{options_.seed, image};
    return std::mt19937_64(seed);
  }

  // In the order in which they happen. Not before there is a store: its first sync.
  std::vector<Cut> cuts() const {
    std::vector<std::size_t> moments;
    bool made = false;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (made && changes_disk(entries_[i])) {
        moments.push_back(i);
      }
      made = made || entries_[i].kind == 'S';
    }
    if (moments.empty()) {
      throw std::runtime_error("nothing was synced: nothing can be cut");
    }
    std::vector<Cut> cuts;
    const std::uint64_t first = options_.only != 0 ? options_.only : options_.first;
    const std::uint64_t count = options_.only != 0 ? 1 : options_.images;
    for (std::uint64_t image = first; image < first + count; ++image) {
      std::mt19937_64 random = random_of(image);
      cuts.push_back({moments[random() % moments.size()], image});
    }
    std::sort(cuts.begin(), cuts.end(),
              [](const Cut& a, const Cut& b) { return a.entry < b.entry; });
    return cuts;
  }

  void happen(const IoEntry& entry) {
    operations_ += changes_disk(entry) ? 1U : 0U;
    disk_.apply(entry);
    if (const std::string who = acknowledged_by(entry); !who.empty()) {
      const auto [begin, end] = told_.equal_range(who);
      for (auto row = begin; row != end; ++row) {
        acknowledged_.push_back(row->second);
      }
    }
  }

  void try_cut(const Cut& cut) {
    std::mt19937_64 random = random_of(cut.image);
    random.discard(1);  // it chose the moment
    const CutDisk::Image image = disk_.cut(entries_[cut.entry], random);
    const std::string folder = options_.work + "/image";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    std::ofstream(folder + "/data.mdb", std::ios::binary) << image.octets;
    ++tried_;
    lacking_ += image.missing > 0 ? 1 : 0;
    if (const std::string fault = fault_of_store(folder, acknowledged_, options_.recover);
        !fault.empty()) {
      ++bad_;
      std::printf("image %llu, cut at entry %zu (%c), %llu of %llu unsynced sectors missing: %s\n",
                  static_cast<unsigned long long>(cut.image), cut.entry, entries_[cut.entry].kind,
                  static_cast<unsigned long long>(image.missing),
                  static_cast<unsigned long long>(image.unsynced), fault.c_str());
    }
  }

  const Options& options_;
  std::vector<IoEntry> entries_;
  Told told_;
  CutDisk disk_;
  std::vector<ToldMessage> acknowledged_;
  std::size_t operations_ = 0;
  std::uint64_t tried_ = 0;
  std::uint64_t lacking_ = 0;
  std::uint64_t bad_ = 0;
};

bool parse_arguments(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--no-syncs") {
      options.syncs = false;
      continue;
    }
    if (++i == argc) {
      return false;
    }
    const char* value = argv[i];
    if (name == "--journal") {
      options.journal = value;
    } else if (name == "--store") {
      options.store = value;
    } else if (name == "--told") {
      options.told = value;
    } else if (name == "--work") {
      options.work = value;
    } else if (name == "--recover") {
      options.recover = value;
    } else if (name == "--images") {
      options.images = std::strtoull(value, nullptr, 10);
    } else if (name == "--first") {
      options.first = std::strtoull(value, nullptr, 10);
    } else if (name == "--seed") {
      options.seed = std::strtoull(value, nullptr, 10);
    } else if (name == "--only") {
      options.only = std::strtoull(value, nullptr, 10);
    } else {
      return false;
    }
  }
  return !options.journal.empty() && !options.told.empty() && !options.work.empty();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse_arguments(argc, argv, options)) {
    std::fputs(
        "usage: cut_images --journal FILE --told FILE --work FOLDER [options]; see the source\n",
        stderr);
    return 64;
  }
  try {
    return Trial(options).run() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cut_images: %s\n", error.what());
    return 70;
  }
}
