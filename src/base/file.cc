#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& doing) {
  throw Error::in_file(path.string(), "cannot " + doing + ": " + std::strerror(errno));
}

void write_all(int file, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail(path, "write");
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync_folder(const fs::path& folder) {
  const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (handle < 0) return;  // some file systems do not let a folder be opened; the rename stands
  ::fsync(handle);
  ::close(handle);
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::error_code code;
  if (fs::is_directory(path, code)) {
    throw Error::in_file(path.string(), "is a folder, a file was expected");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) fail(path, "open");
  std::string content;
  std::vector<char> block(std::size_t{1} << 18);
  do {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    content.append(block.data(), static_cast<std::size_t>(stream.gcount()));
  } while (stream);
  if (stream.bad()) fail(path, "read");
  return content;
}

std::string read_file_part(const fs::path& path, std::int64_t offset, std::int64_t count) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream.seekg(offset)) fail(path, "open");
  std::string part(static_cast<std::size_t>(count), '\0');
  stream.read(part.data(), count);
  part.resize(static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) fail(path, "read");
  return part;
}

void write_file(const fs::path& path, std::string_view content) {
  write_file_pieces(path, {content});
}

void write_file_pieces(const fs::path& path, const std::vector<std::string_view>& pieces) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) throw Error::in_file(folder.string(), "cannot create the folder: " + code.message());
  const std::string name = path.filename().string();
  const fs::path temporary = folder / ("." + name + ".tmp" + std::to_string(::getpid()));
  int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) fail(path, "create");
  try {
    for (std::string_view piece : pieces) write_all(file, piece, path);
    if (::fsync(file) != 0) fail(path, "sync");
    // Closed once and never again, whatever comes: the number may be another thread's file by then.
    if (::close(std::exchange(file, -1)) != 0) fail(path, "close");
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path, "rename into place");
  } catch (...) {
    if (file >= 0) ::close(file);
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(folder);
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail(to, "rename into place");
  sync_folder(to.has_parent_path() ? to.parent_path() : fs::path("."));
}

}  // namespace segmentum
