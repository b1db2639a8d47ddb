// All that is done with a picture file from a stranger: what the fuzzer runs, and what the suite
// runs on the fuzzer's corpus.
#pragma once

#include <cstdlib>
#include <string_view>

#include "hostile_file.h"
#include "image/codec.h"
#include "image/picture_source.h"
#include "segmentum/error.h"

namespace segmentum {

/// What `call` gives; nothing where it throws an Error. Anything else is a finding.
template <typename Call>
bool succeeds(const Call& call) {
  try {
    call();
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// True if the bytes are a picture that is decoded whole. Limits are low, so that no input is slow.
inline bool read_hostile_picture(std::string_view bytes) {
  const ReadOptions limits{.max_pixels = 1 << 20, .max_bytes = 1 << 23};
  const HostileFile file(bytes);
  ImageSize size;
  const bool sized = succeeds([&] { size = image_size(file.path()); });
  Image whole;
  const bool read = succeeds([&] { whole = read_image(file.path(), limits); });
  if (read && (!sized ||
               size != ImageSize{whole.height(), whole.width(), whole.channels(), whole.type()})) {
    std::abort();  // the header told something else
  }
  succeeds([&] { read_mask(file.path(), limits); });
  succeeds([&] { stored_form(file.path()); });
  succeeds([&] {
    const auto bytes_of = std::as_bytes(std::span(bytes.data(), bytes.size()));
    read_image_memory(bytes_of, "memory", limits);
  });
  succeeds([&] {
    const auto source = open_picture(file.path(), {.cache_bytes = 1 << 16, .whole_bytes = 1 << 20});
    const ImageSize& all = source->size();
    const int height = std::min(all.height, 64), width = std::min(all.width, 64);
    if (source->held_bytes(height) > std::size_t{1} << 26) return;  // honest, and too much here
    source->read({0, 0, height, width});
    if (!source->by_rows() || all.height < 4096) {
      source->read({all.height - height, all.width - width, height, width});
    }
  });
  return read;
}

}  // namespace segmentum
