#include "milter/ctl/decoder.h"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <limits>
#include <new>

// Three of the libraries have a stream with next_in, avail_in, next_out and avail_out, and share
// one shape here. zstd has its own names. What follows a member or frame is another one or, as for
// gzip(1), padding or rubbish, which is skipped.
namespace mtrk {
namespace {

// The libraries count with 32 bits.
unsigned bounded(std::size_t octets) {
  return static_cast<unsigned>(std::min<std::size_t>(octets, std::numeric_limits<int>::max()));
}

class GzipDecoder final : public Decoder {
 public:
  GzipDecoder() {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (::inflateInit2(&stream_, kGzipOnly) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~GzipDecoder() override { ::inflateEnd(&stream_); }

  Step decode(std::string_view& input, bool last, char* to, std::size_t room) override {
    if (between_) {
      if (input.empty()) {
        return {0, last ? State::over : State::goes_on};
      }
      if (input.front() != '\x1F') {  // padding, or the gzip data have ended
        input = {};
        return {};
      }
      ::inflateReset(&stream_);
      between_ = false;
    }
    // zlib does not write to its input, but its types say so only if it is built that way.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = bounded(input.size());
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = bounded(room);
    const uInt in = stream_.avail_in;
    const uInt out = stream_.avail_out;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    input.remove_prefix(in - stream_.avail_in);
    const std::size_t made = out - stream_.avail_out;
    between_ = result == Z_STREAM_END;
    if (result == Z_BUF_ERROR) {  // there was nothing to do
      return {made, last ? State::cut : State::goes_on};
    }
    return {made, result == Z_OK || between_ ? State::goes_on : State::damaged};
  }

 private:
  z_stream stream_{};
  bool between_ = false;  // whether the stream is between two members
};

class XzDecoder final : public Decoder {
 public:
  XzDecoder() {
    constexpr std::uint64_t kMemory = std::uint64_t{1} << 30;  // ten times what a log needs
    if (::lzma_stream_decoder(&stream_, kMemory, LZMA_CONCATENATED) != LZMA_OK) {
      throw std::bad_alloc();
    }
  }
  ~XzDecoder() override { ::lzma_end(&stream_); }

  Step decode(std::string_view& input, bool last, char* to, std::size_t room) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(input.data());
    stream_.avail_in = input.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(to);
    stream_.avail_out = room;
    const lzma_ret result = ::lzma_code(&stream_, last ? LZMA_FINISH : LZMA_RUN);
    input.remove_prefix(input.size() - stream_.avail_in);
    const std::size_t made = room - stream_.avail_out;
    switch (result) {
      case LZMA_OK:
        return {made, State::goes_on};
      case LZMA_STREAM_END:
        return {made, State::over};
      case LZMA_BUF_ERROR:
        return {made, last ? State::cut : State::goes_on};
      default:
        return {made, State::damaged};
    }
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder() : stream_(::ZSTD_createDStream()) {
    if (stream_ == nullptr) {
      throw std::bad_alloc();
    }
  }
  ~ZstdDecoder() override { ::ZSTD_freeDStream(stream_); }

  Step decode(std::string_view& input, bool last, char* to, std::size_t room) override {
    if (input.empty() && last && whole_) {
      return {0, State::over};
    }
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{to, room, 0};
    const std::size_t result = ::ZSTD_decompressStream(stream_, &out, &in);
    input.remove_prefix(in.pos);
    if (::ZSTD_isError(result) != 0) {
      return {out.pos, State::damaged};
    }
    whole_ = result == 0;
    const bool stuck = out.pos == 0 && in.pos == 0;
    return {out.pos, stuck && last && !whole_ ? State::cut : State::goes_on};
  }

 private:
  ZSTD_DStream* stream_;
  bool whole_ = false;  // whether the last frame has ended
};

class Bzip2Decoder final : public Decoder {
 public:
  Bzip2Decoder() { begin(); }
  ~Bzip2Decoder() override { ::BZ2_bzDecompressEnd(&stream_); }

  Step decode(std::string_view& input, bool last, char* to, std::size_t room) override {
    if (between_) {
      if (input.empty()) {
        return {0, last ? State::over : State::goes_on};
      }
      if (input.front() != 'B') {
        input = {};
        return {};
      }
      ::BZ2_bzDecompressEnd(&stream_);
      begin();
      between_ = false;
    }
    stream_.next_in = const_cast<char*>(input.data());  // the library does not write to it
    stream_.avail_in = bounded(input.size());
    stream_.next_out = to;
    stream_.avail_out = bounded(room);
    const unsigned in = stream_.avail_in;
    const unsigned out = stream_.avail_out;
    const int result = ::BZ2_bzDecompress(&stream_);
    input.remove_prefix(in - stream_.avail_in);
    const std::size_t made = out - stream_.avail_out;
    if (result != BZ_OK && result != BZ_STREAM_END) {
      return {made, State::damaged};
    }
    between_ = result == BZ_STREAM_END;
    const bool stuck = made == 0 && in == stream_.avail_in && !between_;
    return {made, stuck && last ? State::cut : State::goes_on};
  }

 private:
  void begin() {
    stream_ = {};
    if (::BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) {
      throw std::bad_alloc();
    }
  }

  bz_stream stream_{};
  bool between_ = false;  // whether it is between two streams
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<GzipDecoder>();
    case Compression::xz:
      return std::make_unique<XzDecoder>();
    case Compression::zstd:
      return std::make_unique<ZstdDecoder>();
    case Compression::bzip2:
      return std::make_unique<Bzip2Decoder>();
    case Compression::none:
      break;
  }
  assert(false);
  return nullptr;
}

}  // namespace mtrk
