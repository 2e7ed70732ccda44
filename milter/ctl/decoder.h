#pragma once

#include "milter/ctl/octet_source.h"

#include <cstddef>
#include <memory>
#include <string_view>

// A Decoder is one interface to the libraries that decompress data. It is pure: octets go in and
// octets come out.
namespace mtrk {

class Decoder {
 public:
  enum class State {
    goes_on,
    over,     // the input ended where it should
    damaged,  // the rest cannot be read
    cut,      // the input ended in the middle of the data
  };
  struct Step {
    std::size_t made = 0;  // octets that were written to `to`
    State state = State::goes_on;
  };

  Decoder() = default;
  virtual ~Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Consumes what it can from the front of `input` and writes the result to `to`, which has room
  // for at least one octet. `last` says that no more input follows. Each call consumes or writes at
  // least one octet, or returns a state other than goes_on, unless `input` is empty and not the
  // last.
  [[nodiscard]] virtual Step decode(std::string_view& input,
                                    bool last,
                                    char* to,
                                    std::size_t room) = 0;
};

// `compression` must not be Compression::none. Throws std::bad_alloc.
[[nodiscard]] std::unique_ptr<Decoder> make_decoder(Compression compression);

}  // namespace mtrk
