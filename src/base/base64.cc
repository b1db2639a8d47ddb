#include "base/base64.h"

#include <nettle/base64.h>

#include <cstdint>

#include "segmentum/error.h"

namespace segmentum {

std::string base64_decoded(std::string_view text) {
  base64_decode_ctx context;
  base64_decode_init(&context);
  std::string bytes(BASE64_DECODE_LENGTH(text.size()), '\0');
  std::size_t count = bytes.size();
  if (base64_decode_update(&context, &count, reinterpret_cast<std::uint8_t*>(bytes.data()),
                           text.size(), text.data()) == 0) {
    throw Error("is no base64");
  }
  if (base64_decode_final(&context) == 0) throw Error("is base64 that ends too early");
  bytes.resize(count);
  return bytes;
}

}  // namespace segmentum
