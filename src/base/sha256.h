// SHA-256: whether two files hold the same bytes, without having both.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace segmentum {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Sha256& add(std::string_view bytes);
  /// 64 hexadecimal digits, of all that was added; what follows begins anew.
  std::string digits();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// That of a file, read once and not kept. Throws Error naming the file.
std::string sha256_of(const std::filesystem::path& path);

}  // namespace segmentum
