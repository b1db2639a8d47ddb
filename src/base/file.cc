#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporary = ".tmp";

/// What a person can do; empty where the system's own words say all.
const char* remedy(int problem) {
  switch (problem) {
    case ENOSPC:
      return "; make room on its disk, or choose another folder";
    case EDQUOT:
      return "; this user's share of the disk is used up: make room, or choose another folder";
    case EFBIG:
      return "; the system allows no larger files here (ulimit -f): raise that, or choose another "
             "folder";
    case EROFS:
      return "; its disk can only be read: choose another folder";
    case EACCES:
    case EPERM:
      return "; this user may not write there: change the permissions, or choose another folder";
    case EEXIST:
    case ENOTDIR:
      return "; a part of the path is a file: choose another folder";
    case EIO:
      return "; the disk reports errors: choose another one";
    default:
      return "";
  }
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

fs::path temporary_of(const fs::path& path) {
  std::string name = "." + path.filename().string();
  return folder_of(path) / (name.append(kTemporary) += std::to_string(::getpid()));
}

void create_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) throw_write_error(folder, "create the folder", code.value());
}

void sync_folder(const fs::path& folder) {
  const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return;  // some file systems do not let a folder be opened; the rename stands
  ::fsync(handle);
  ::close(handle);
}

/// The file that will be `path`, under a hidden name or none until then.
class UnseenFile {
 public:
  UnseenFile(const fs::path& path, bool named)
      : path_(path), temporary_(temporary_of(path)), named_(named) {
    constexpr int kMode = 0666;
    file_ = named ? ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode)
                  : ::open(folder_of(path).c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, kMode);
  }
  ~UnseenFile() {
    if (file_ >= 0) ::close(file_);
    if (named_) ::unlink(temporary_.c_str());
  }
  UnseenFile(const UnseenFile&) = delete;
  UnseenFile& operator=(const UnseenFile&) = delete;

  bool is_open() const { return file_ >= 0; }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_, bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        fail("write");
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void sync() {
    if (::fsync(file_) != 0) fail("sync");
  }

  /// Gives it its hidden name. False where the system does not do that.
  bool name_it() {
    if (named_) return true;
    const std::string link = "/proc/self/fd/" + std::to_string(file_);
    ::unlink(temporary_.c_str());  // of a process that had this one's number
    named_ = ::linkat(AT_FDCWD, link.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) == 0;
    return named_;
  }

  void appear() {
    // Closed once and never again, whatever comes: the number may be another thread's file by then.
    if (::close(std::exchange(file_, -1)) != 0) fail("close");
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename into place");
    named_ = false;
  }

  [[noreturn]] void fail(const char* doing) const { throw_write_error(path_, doing, errno); }

 private:
  fs::path path_, temporary_;
  bool named_;
  int file_ = -1;
};

/// Replacing /dev/null would be a surprise.
bool is_stream(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  return fs::is_character_file(status) || fs::is_fifo(status) || fs::is_socket(status) ||
         (fs::exists(status) && path.string().starts_with("/dev/"));
}

void write_to_stream(const fs::path& path, const std::vector<std::string_view>& pieces) {
  std::ofstream stream(path, std::ios::binary | std::ios::app);
  for (const std::string_view piece : pieces) stream << piece;
  stream.close();
  if (!stream) throw_write_error(path, "write", errno);
}

/// False, with nothing done, where the system has no files without a name.
bool write_pieces(const fs::path& path, const std::vector<std::string_view>& pieces, bool named) {
  UnseenFile file(path, named);
  if (!file.is_open()) {
    if (!named) return false;
    file.fail("create");
  }
  for (const std::string_view piece : pieces) file.write(piece);
  file.sync();
  if (!file.name_it()) return false;
  file.appear();
  return true;
}

}  // namespace

void throw_write_error(const fs::path& file, const std::string& doing, int problem) {
  throw WriteError(file.string() + ": cannot " + doing + ": " + std::strerror(problem) +
                   remedy(problem));
}

void throw_read_error(const fs::path& file, const std::string& doing, int problem) {
  const bool is_forbidden = problem == EACCES || problem == EPERM;
  throw Error::in_file(
      file.string(),
      "cannot " + doing + ": " + std::strerror(problem) +
          (is_forbidden
               ? "; this user may not read it: change its permissions or those of its folders"
               : ""));
}

std::string read_file(const fs::path& path) {
  std::error_code code;
  if (fs::is_directory(path, code)) {
    throw Error::in_file(path.string(), "is a folder, a file was expected");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw_read_error(path, "open", errno);
  std::string content;
  std::vector<char> block(std::size_t{1} << 18);
  do {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    content.append(block.data(), static_cast<std::size_t>(stream.gcount()));
  } while (stream);
  if (stream.bad()) throw_read_error(path, "read", errno);
  return content;
}

std::string read_file_part(const fs::path& path, std::int64_t offset, std::int64_t count) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream.seekg(offset)) throw_read_error(path, "open", errno);
  std::string part(static_cast<std::size_t>(count), '\0');
  stream.read(part.data(), count);
  part.resize(static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) throw_read_error(path, "read", errno);
  return part;
}

void write_file(const fs::path& path, std::string_view content) {
  write_file_pieces(path, {content});
}

void write_file_pieces(const fs::path& path, const std::vector<std::string_view>& pieces) {
  if (is_stream(path)) return write_to_stream(path, pieces);
  create_folder(folder_of(path));
  if (!write_pieces(path, pieces, false)) write_pieces(path, pieces, true);
  sync_folder(folder_of(path));
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw_write_error(to, "rename into place", errno);
  sync_folder(folder_of(to));
}

void require_writable_folder(const fs::path& folder) {
  create_folder(folder);
  if (UnseenFile(folder / "file", false).is_open()) return;
  const UnseenFile named(folder / "file", true);
  if (!named.is_open()) throw_write_error(folder, "write into the folder", errno);
}

void remove_broken_writes(const fs::path& folder) {
  std::error_code code;
  std::vector<fs::path> broken;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    const std::size_t mark = name.rfind(kTemporary);
    if (!name.starts_with('.') || mark == std::string::npos || mark == 0) continue;
    const std::string_view process = std::string_view(name).substr(mark + kTemporary.size());
    const bool is_number =
        !process.empty() && process.find_first_not_of("0123456789") == std::string_view::npos;
    if (is_number) broken.push_back(entry->path());
  }
  for (const fs::path& file : broken) fs::remove(file, code);
}

}  // namespace segmentum
