#include "image/label_tiff.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/threads.h"
#include "image/big_tiff.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr int kTile = LabelTiffWriter::kTile;
constexpr std::string_view kMagic = "segmentum label map 1";

fs::path with(fs::path path, const char* ending) {
  return path += ending;
}
fs::path part_of(const fs::path& path) {
  return with(path, ".part");
}
fs::path journal_of(const fs::path& path) {
  return with(path, ".part.journal");
}

int tiles_along(int size) {
  return (size + kTile - 1) / kTile;
}

std::uint32_t checksum(std::string_view text) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
}

/// A file that is written and read at any place. Errors name it.
class File {
 public:
  File(const fs::path& path, int flags) : path_(path) {
    handle_ = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    if (handle_ < 0) fail("open");
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(handle_); }

  void write(std::uint64_t at, std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t done = ::pwrite(handle_, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) fail("write");
      bytes.remove_prefix(static_cast<std::size_t>(done));
      at += static_cast<std::uint64_t>(done);
    }
  }
  void read(std::uint64_t at, char* to, std::size_t count) const {
    while (count > 0) {
      const ssize_t done = ::pread(handle_, to, count, static_cast<off_t>(at));
      if (done < 0 && errno == EINTR) continue;
      if (done == 0) errno = ENODATA;
      if (done <= 0) fail("read");
      to += done;
      at += static_cast<std::uint64_t>(done);
      count -= static_cast<std::size_t>(done);
    }
  }
  void sync() const {
    if (::fdatasync(handle_) != 0) fail("sync");
  }
  void cut(std::uint64_t size) const {
    if (::ftruncate(handle_, static_cast<off_t>(size)) != 0) fail("cut");
  }

 private:
  [[noreturn]] void fail(const char* doing) const { throw_write_error(path_, doing, errno); }

  fs::path path_;
  int handle_ = -1;
};

/// What lies in the tile [kTile, kTile] whose upper left corner is at `y`, `x` of `values`.
std::string tile_bytes(const Image& values, int y, int x) {
  const std::size_t sample = sample_bytes(values.type());
  std::string tile(sample * kTile * kTile, '\0');
  const int rows = std::min(kTile, values.height() - y);
  const int columns = std::min(kTile, values.width() - x);
  for (int row = 0; row < rows; ++row) {
    std::memcpy(tile.data() + sample * kTile * row, values.row<std::byte>(y + row) + sample * x,
                sample * columns);
  }
  return tile;
}

constexpr int kLevel =
    4;  // of label maps an eighth larger than by level 6, in less than a third of the time

std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string result(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(result.data()), &size,
                reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), kLevel) != Z_OK) {
    throw Error("not enough memory to compress a tile");
  }
  result.resize(size);
  return result;
}

template <typename T>
T most_frequent(T a, T b, T c, T d) {
  if (a == b || a == c || a == d) return a;
  if (b == c || b == d) return b;
  return c == d ? c : a;
}

/// Half the size, rounded up.
template <typename T>
void halve(const Image& from, Image& to) {
  for (int y = 0; y < to.height(); ++y) {
    const T* above = from.row<T>(2 * y);
    const T* below = from.row<T>(std::min(2 * y + 1, from.height() - 1));
    T* out = to.row<T>(y);
    for (int x = 0; x < to.width(); ++x) {
      const int right = std::min(2 * x + 1, from.width() - 1);
      out[x] = most_frequent(above[2 * x], above[right], below[2 * x], below[right]);
    }
  }
}

}  // namespace

struct LabelTiffWriter::State {
  State(const fs::path& p, LabelTiffForm f, const std::string& identity, bool resume)
      : path(p), form(std::move(f)) {
    levels.push_back(empty_level(form.height, form.width));
    std::error_code code;
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), code);
    if (!resume) {
      fs::remove(journal_of(path), code);  // first: it speaks of a part that ends here
      fs::remove(part_of(path), code);
    }
    part.emplace(part_of(path), O_RDWR | O_CREAT);
    journal.emplace(journal_of(path), O_RDWR | O_CREAT);
    if (resume) {
      take_over(identity);
    } else {
      part->write(0, big_tiff_start());
      part->sync();
      append_line(std::string(kMagic));
      append_line(identity);
    }
  }

  static TiffLevel empty_level(int height, int width) {
    TiffLevel level{.height = height, .width = width, .offsets = {}, .bytes = {}};
    const auto count = static_cast<std::size_t>(tiles_along(height)) *
                       static_cast<std::size_t>(tiles_along(width));
    level.offsets.resize(count);
    level.bytes.resize(count);
    return level;
  }

  void append_line(const std::string& line) {
    const std::string whole = fmt::format("{} {:08x}\n", line, checksum(line));
    journal->write(journal_end, whole);
    journal->sync();
    journal_end += whole.size();
  }

  /// The lines that are whole; what follows the first broken one is as if it had never been.
  static std::vector<std::string> whole_lines(const std::string& text, std::uint64_t* end) {
    std::vector<std::string> lines;
    std::size_t at = 0;
    for (std::size_t stop; (stop = text.find('\n', at)) != std::string::npos; at = stop + 1) {
      const std::string line = text.substr(at, stop - at);
      if (line.size() < 9 || line[line.size() - 9] != ' ') break;
      const std::string body = line.substr(0, line.size() - 9);
      if (line.substr(line.size() - 8) != fmt::format("{:08x}", checksum(body))) break;
      lines.push_back(body);
    }
    if (end) *end = at;
    return lines;
  }

  void take_over(const std::string& identity) {
    const std::vector<std::string> lines = whole_lines(read_file(journal_of(path)), &journal_end);
    if (lines.size() < 2 || lines[0] != kMagic || lines[1] != identity) {
      throw Error::in_file(journal_of(path).string(), "does not belong to this run; delete it");
    }
    journal->cut(journal_end);
    const std::uint64_t stored = fs::file_size(part_of(path));
    for (std::size_t i = 2; i < lines.size(); ++i) read_region(lines[i], stored);
    part->cut(part_end);
  }

  /// "y x rows columns offset:bytes ...", rows and columns in tiles, which lie in the `stored`
  /// bytes of the part.
  void read_region(const std::string& line, std::uint64_t stored) {
    std::istringstream words(line);
    int y = -1, x = -1, rows = 0, columns = 0;
    words >> y >> x >> rows >> columns;
    const TiffLevel& level = levels[0];
    const bool fits = words && y >= 0 && x >= 0 && rows > 0 && columns > 0 && y % kTile == 0 &&
                      x % kTile == 0 && rows <= tiles_along(level.height) - y / kTile &&
                      columns <= tiles_along(level.width) - x / kTile;
    for (int i = 0; fits && i < rows * columns; ++i) {
      std::uint64_t offset = 0, bytes = 0;
      char colon = 0;
      if (!(words >> offset >> colon >> bytes) || colon != ':' || bytes == 0) break;
      if (offset < big_tiff_start().size() || offset > stored || bytes > stored - offset) break;
      place(y / kTile + i / columns, x / kTile + i % columns, offset, bytes);
      part_end = std::max(part_end, offset + bytes);
      if (i + 1 == rows * columns) {
        written.emplace(y, x);
        return;
      }
    }
    throw Error::in_file(journal_of(path).string(), "is damaged; delete it to begin anew");
  }

  void place(int row, int column, std::uint64_t offset, std::uint64_t bytes) {
    TiffLevel& level = levels.back();
    const auto index =
        static_cast<std::size_t>(row) * static_cast<std::size_t>(tiles_along(level.width)) +
        static_cast<std::size_t>(column);
    level.offsets[index] = offset;
    level.bytes[index] = bytes;
  }

  /// Appends tiles that are beside and below each other; returns where they lie: " offset:bytes".
  std::string append_tiles(const std::vector<std::string>& tiles, int row, int column,
                           int columns) {
    std::string bytes, places;
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      const std::uint64_t offset = part_end + bytes.size();
      const int n = static_cast<int>(i);
      place(row + n / columns, column + n % columns, offset, tiles[i].size());
      places += fmt::format(" {}:{}", offset, tiles[i].size());
      bytes += tiles[i];
    }
    part->write(part_end, bytes);
    part_end += bytes.size();
    return places;
  }

  void write(int y, int x, const Image& values) {
    const int rows = tiles_along(values.height()), columns = tiles_along(values.width());
    std::vector<std::string> tiles(static_cast<std::size_t>(rows) * columns);
    parallel_for(static_cast<std::int64_t>(tiles.size()), [&](std::int64_t i) {
      const int n = static_cast<int>(i);
      tiles[static_cast<std::size_t>(i)] =
          deflated(tile_bytes(values, n / columns * kTile, n % columns * kTile));
    });
    const std::string places = append_tiles(tiles, y / kTile, x / kTile, columns);
    part->sync();
    append_line(fmt::format("{} {} {} {}{}", y, x, rows, columns, places));
    written.emplace(y, x);
  }

  /// The part of a level that lies in the 2x2 tiles above which `row`, `column` stand.
  Image read_four(const TiffLevel& level, int row, int column) const {
    const int top = 2 * row * kTile, left = 2 * column * kTile;
    Image four(std::min(2 * kTile, level.height - top), std::min(2 * kTile, level.width - left), 1,
               form.type);
    const std::size_t sample = sample_bytes(form.type);
    std::string tile(sample * kTile * kTile, '\0'), packed;
    for (int y = 0; y < four.height(); y += kTile) {
      for (int x = 0; x < four.width(); x += kTile) {
        const auto index = static_cast<std::size_t>((top + y) / kTile) *
                               static_cast<std::size_t>(tiles_along(level.width)) +
                           static_cast<std::size_t>((left + x) / kTile);
        packed.resize(level.bytes[index]);
        part->read(level.offsets[index], packed.data(), packed.size());
        uLongf size = tile.size();
        if (uncompress(reinterpret_cast<Bytef*>(tile.data()), &size,
                       reinterpret_cast<const Bytef*>(packed.data()), packed.size()) != Z_OK ||
            size != tile.size()) {
          throw Error::in_file(part_of(path).string(),
                               "is damaged; delete it and its journal to begin anew");
        }
        const int rows = std::min(kTile, four.height() - y);
        const int columns = std::min(kTile, four.width() - x);
        for (int i = 0; i < rows; ++i) {
          std::memcpy(four.row<std::byte>(y + i) + sample * x, tile.data() + sample * kTile * i,
                      sample * columns);
        }
      }
    }
    return four;
  }

  void add_level() {
    const TiffLevel below = levels.back();
    levels.push_back(empty_level((below.height + 1) / 2, (below.width + 1) / 2));
    const int rows = tiles_along(levels.back().height), columns = tiles_along(levels.back().width);
    std::vector<std::string> tiles(static_cast<std::size_t>(columns));
    for (int row = 0; row < rows; ++row) {
      parallel_for(columns, [&](std::int64_t column) {
        const Image four = read_four(below, row, static_cast<int>(column));
        Image half((four.height() + 1) / 2, (four.width() + 1) / 2, 1, form.type);
        if (form.type == PixelType::u8) halve<std::uint8_t>(four, half);
        if (form.type == PixelType::u16) halve<std::uint16_t>(four, half);
        tiles[static_cast<std::size_t>(column)] = deflated(tile_bytes(half, 0, 0));
      });
      append_tiles(tiles, row, 0, columns);
    }
  }

  void finish() {
    const auto missing = std::ranges::find(levels[0].bytes, std::uint64_t{0});
    if (missing != levels[0].bytes.end()) {
      throw Error::in_file(path.string(), "a region of the label map was never written");
    }
    while (std::max(levels.back().height, levels.back().width) > kTile) add_level();
    const auto append = [&](const std::string& bytes) {
      const std::uint64_t at = (part_end + 7) / 8 * 8;
      part->write(at, bytes);
      part_end = at + bytes.size();
      return at;
    };
    std::uint64_t next = 0;  // the last page comes first: each names the one after it
    for (std::size_t level = levels.size(); level-- > 0;) {
      next = append_big_tiff_page(form, levels[level], kTile, level > 0, next, append);
    }
    part->write(kBigTiffFirstPage, {reinterpret_cast<const char*>(&next), sizeof next});
    part->sync();
    rename_file(part_of(path), path);
    std::error_code code;
    fs::remove(journal_of(path), code);
  }

  fs::path path;
  LabelTiffForm form;
  std::optional<File> part, journal;
  std::uint64_t part_end = big_tiff_start().size();
  std::uint64_t journal_end = 0;
  std::vector<TiffLevel> levels;  // full size first
  std::set<std::pair<int, int>> written;
};

std::optional<std::string> LabelTiffWriter::unfinished(const fs::path& path) {
  std::error_code code;
  if (!fs::exists(journal_of(path), code) || !fs::exists(part_of(path), code)) return std::nullopt;
  const std::vector<std::string> lines = State::whole_lines(read_file(journal_of(path)), nullptr);
  if (lines.size() < 2 || lines[0] != kMagic) return std::nullopt;
  return lines[1];
}

void LabelTiffWriter::remove_journal(const fs::path& path) {
  std::error_code code;
  fs::remove(journal_of(path), code);
}

LabelTiffWriter::LabelTiffWriter(const fs::path& path, LabelTiffForm form,
                                 const std::string& identity, bool resume)
    : state_(std::make_unique<State>(path, std::move(form), identity, resume)) {}

LabelTiffWriter::~LabelTiffWriter() = default;

bool LabelTiffWriter::has(int y, int x) const {
  return state_->written.contains({y, x});
}

void LabelTiffWriter::write(int y, int x, const Image& values) {
  state_->write(y, x, values);
}

void LabelTiffWriter::finish() {
  state_->finish();
}

}  // namespace segmentum
