#include "interop/file_hash.h"

#include <string_view>

#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::size_t kFewestDigits = 8;
constexpr std::size_t kMostDigits = 64;

bool is_decimal(std::string_view text) {
  return text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// YYYYMMDD of the years 1900 to 2099.
bool is_date(std::string_view text) {
  if (text.size() != 8 || !is_decimal(text)) return false;
  const auto number = [&](std::size_t begin) {
    return 10 * (text[begin] - '0') + (text[begin + 1] - '0');
  };
  const int century = number(0), month = number(4), day = number(6);
  return (century == 19 || century == 20) && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

}  // namespace

std::string promised_hash(const std::filesystem::path& path) {
  const std::string stem = path.stem().string();
  const std::size_t dash = stem.rfind('-');
  if (dash == std::string::npos) return "";
  const std::string digits = stem.substr(dash + 1);
  const bool is_hash = digits.size() >= kFewestDigits && digits.size() <= kMostDigits &&
                       is_hexadecimal(digits) && !is_date(digits);
  return is_hash ? digits : "";
}

bool require_promised_hash(const std::filesystem::path& path, const std::string& sha256) {
  const std::string promised = promised_hash(path);
  if (promised.empty()) return false;
  if (sha256.starts_with(promised)) return true;
  if (is_decimal(promised)) return false;
  throw Error::in_file(path.string(),
                       "its SHA-256 begins with " + sha256.substr(0, promised.size()) +
                           " but its name promises " + promised +
                           ": the download is incomplete or the file was changed; fetch it again, "
                           "or rename it if the change is yours");
}

}  // namespace segmentum
