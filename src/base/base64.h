// Base64 (RFC 4648): how text formats carry files.
#pragma once

#include <string>
#include <string_view>

namespace segmentum {

/// The bytes that `text` stands for; blanks and line breaks in it count for nothing. Throws Error
/// where it is no base64 or ends too early.
std::string base64_decoded(std::string_view text);

}  // namespace segmentum
