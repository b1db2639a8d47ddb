#include "base/sha256.h"

#include <fcntl.h>
#include <nettle/sha2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/file.h"

namespace segmentum {
namespace {

/// A file that is read from its beginning on. Errors name it.
class Input {
 public:
  explicit Input(const std::filesystem::path& path) : path_(path) {
    // Without waiting for who might write into a pipe.
    handle_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (handle_ < 0 && errno == ENOENT) fail("there is no such file");
    if (handle_ < 0) throw_read_error(path, "open", errno);
    struct stat status {};
    if (::fstat(handle_, &status) == 0 && S_ISREG(status.st_mode)) return;
    ::close(handle_);
    fail(S_ISDIR(status.st_mode) ? "is a folder, a file was expected" : "is no file of bytes");
  }
  ~Input() { ::close(handle_); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  /// Empty at the end.
  std::string_view read(std::vector<char>& block) const {
    ssize_t count = 0;
    do {
      count = ::read(handle_, block.data(), block.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) throw_read_error(path_, "read", errno);
    return {block.data(), static_cast<std::size_t>(count)};
  }

 private:
  [[noreturn]] void fail(const char* what) const { throw Error::in_file(path_.string(), what); }

  std::filesystem::path path_;
  int handle_ = -1;
};

}  // namespace

struct Sha256::State {
  sha256_ctx context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  sha256_init(&state_->context);
}

Sha256::~Sha256() = default;

Sha256& Sha256::add(std::string_view bytes) {
  sha256_update(&state_->context, bytes.size(),
                reinterpret_cast<const std::uint8_t*>(bytes.data()));
  return *this;
}

std::string Sha256::digits() {
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
  sha256_digest(&state_->context, digest.size(), digest.data());
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string sha256_of(const std::filesystem::path& path) {
  const Input file(path);
  Sha256 hash;
  std::vector<char> block(std::size_t{1} << 18);
  for (;;) {
    const std::string_view bytes = file.read(block);
    if (bytes.empty()) return hash.digits();
    hash.add(bytes);
  }
}

}  // namespace segmentum
