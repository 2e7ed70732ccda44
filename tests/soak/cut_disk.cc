#include "tests/soak/cut_disk.h"

#include <algorithm>
#include <string_view>

namespace mtrk::soak {
namespace {

void put(std::string& octets, std::uint64_t offset, std::string_view what) {
  if (octets.size() < offset + what.size()) {
    octets.resize(offset + what.size());
  }
  octets.replace(offset, what.size(), what);
}

void change(std::string& octets, const IoEntry& entry) {
  if (entry.kind == 'T') {
    octets.resize(entry.offset);
  } else {
    put(octets, entry.offset, entry.octets);
  }
}

}  // namespace

void CutDisk::sync() {
  if (!syncs_) {
    return;
  }
  for (const IoEntry& entry : pending_) {
    change(synced_, entry);
  }
  pending_.clear();
}

std::string CutDisk::whole() const {
  std::string octets = synced_;
  for (const IoEntry& entry : pending_) {
    change(octets, entry);
  }
  return octets;
}

void CutDisk::apply(const IoEntry& entry) {
  switch (entry.kind) {
    case 'S':
      sync();
      break;
    case 'D':
      if (syncs_ && pending_.empty()) {
        put(synced_, entry.offset, entry.octets);
        break;
      }
      // It is durable, but not what was written before it.
      pending_.push_back(entry);
      break;
    case 'W':
    case 'T':
      pending_.push_back(entry);
      break;
    default:
      break;
  }
}

CutDisk::Image CutDisk::cut(const IoEntry& in_flight, std::mt19937_64& random) const {
  Image image;
  image.octets = synced_;
  // Nothing, everything, and what lies between them are all likely.
  const std::uint64_t chance = std::uniform_int_distribution<std::uint64_t>(0, 8)(random);
  const auto there = [&] {
    ++image.unsynced;
    const bool yes = std::uniform_int_distribution<std::uint64_t>(0, 7)(random) < chance;
    image.missing += yes ? 0 : 1;
    return yes;
  };
  const auto scatter = [&](const IoEntry& entry, bool durable) {
    const std::string_view octets = entry.octets;
    for (std::uint64_t at = 0; at < octets.size();) {
      const std::uint64_t to_boundary = kSector - (entry.offset + at) % kSector;
      const std::string_view sector = octets.substr(at, to_boundary);
      if (durable || there()) {
        put(image.octets, entry.offset + at, sector);
      }
      at += sector.size();
    }
  };
  for (const IoEntry& entry : pending_) {
    if (entry.kind == 'T') {
      if (there()) {
        image.octets.resize(entry.offset);
      }
    } else {
      scatter(entry, syncs_ && entry.kind == 'D');
    }
  }
  if (in_flight.kind == 'W' || in_flight.kind == 'D') {
    scatter(in_flight, false);
  } else if (in_flight.kind == 'T' && there()) {
    image.octets.resize(in_flight.offset);
  }
  return image;
}

}  // namespace mtrk::soak
