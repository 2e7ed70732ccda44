#pragma once

#include "milter/ctl/octet_source.h"

#include <cstddef>
#include <memory>
#include <string_view>

// The libraries that undo a compression, behind one interface. Pure: octets in, octets out.
namespace mtrk {

class Decoder {
 public:
  enum class State {
    goes_on,
    over,     // the input ended where it should
    damaged,  // what follows cannot be read
    cut,      // the input ended within the data
  };
  struct Step {
    std::size_t made = 0;  // octets that were put to `to`
    State state = State::goes_on;
  };

  Decoder() = default;
  virtual ~Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Takes from the front of `input` what it can, and puts what becomes of it to `to`, which has
  // room for at least one octet. `last`: there is no input behind this one. Either takes or makes
  // something, or does not go on, unless the input is empty and not the last.
  [[nodiscard]] virtual Step decode(std::string_view& input,
                                    bool last,
                                    char* to,
                                    std::size_t room) = 0;
};

// Not for Compression::none. Fails: std::bad_alloc.
[[nodiscard]] std::unique_ptr<Decoder> make_decoder(Compression compression);

}  // namespace mtrk
