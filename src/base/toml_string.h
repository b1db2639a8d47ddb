// Texts as TOML documents hold them.
#pragma once

#include <string>
#include <string_view>

namespace segmentum {

/// `text` as a TOML basic string, in quotes: quotes, backslashes and control characters escaped.
std::string toml_string(std::string_view text);

}  // namespace segmentum
