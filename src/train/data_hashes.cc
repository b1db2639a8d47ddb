#include "train/data_hashes.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "base/file.h"
#include "base/sha256.h"
#include "base/threads.h"
#include "train/data_identity.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kWorthTelling = std::int64_t{4} << 30;  // takes seconds
constexpr std::int64_t kFilesAtOnce = 256;                     // between two looks at the stop flag
constexpr std::size_t kDigits = 64;

/// What of a file can be known without reading it; zeros where it is gone.
HashedFile look_at(const fs::path& root, const std::string& name) {
  HashedFile file{.name = name, .sha256 = ""};
  struct stat status {};
  if (::stat((root / name).c_str(), &status) != 0) return file;
  constexpr std::int64_t kSecond = 1'000'000'000;
  file.bytes = status.st_size;
  file.changed_ns = kSecond * status.st_mtim.tv_sec + status.st_mtim.tv_nsec;
  return file;
}

std::set<std::string> names_of(const Dataset& dataset, const std::vector<std::string>& splits) {
  std::set<std::string> names;
  for (const std::string& split : splits) {
    const auto found = dataset.splits.find(split);
    if (found == dataset.splits.end()) continue;
    for (const Sample& sample : found->second) {
      if (sample.mask.empty()) continue;
      for (const fs::path& file : {sample.image, sample.mask, sample.instances}) {
        if (!file.empty()) names.insert(name_in(dataset.root, file));
      }
    }
  }
  return names;
}

/// As sha256sum does it: a line that begins with a backslash has a name with escapes.
std::string line_of(const HashedFile& file) {
  std::string name;
  for (const char letter : file.name) {
    if (letter == '\\') name += "\\\\";
    if (letter == '\n') name += "\\n";
    if (letter != '\\' && letter != '\n') name += letter;
  }
  return fmt::format("{}{}  {}\n", name == file.name ? "" : "\\", file.sha256, name);
}

std::string unescaped(const std::string& text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      name += text[++i] == 'n' ? '\n' : text[i];
    } else {
      name += text[i];
    }
  }
  return name;
}

}  // namespace

std::vector<HashedFile> hash_data(const Dataset& dataset, const std::vector<std::string>& splits,
                                  ProgressSink& progress) {
  std::vector<HashedFile> files;
  std::int64_t bytes = 0;
  for (const std::string& name : names_of(dataset, splits)) {
    files.push_back(look_at(dataset.root, name));
    bytes += files.back().bytes;
  }
  if (bytes > kWorthTelling) {
    progress.message(fmt::format("reading {:.0f} GB of {} once for the run's manifest",
                                 1e-9 * static_cast<double>(bytes), dataset.root.string()));
  }
  const auto count = static_cast<std::int64_t>(files.size());
  for (std::int64_t begin = 0; begin < count; begin += kFilesAtOnce) {
    if (progress.stop_requested()) throw Interrupted();
    parallel_for(std::min(kFilesAtOnce, count - begin), [&](std::int64_t i) {
      HashedFile& file = files[static_cast<std::size_t>(begin + i)];
      file.sha256 = sha256_of(dataset.root / file.name);
    });
  }
  return files;
}

std::string to_text(const std::vector<HashedFile>& files) {
  std::string text;
  for (const HashedFile& file : files) text += line_of(file);
  return text;
}

std::map<std::string, std::string> read_hashes(const fs::path& path) {
  std::map<std::string, std::string> hashes;
  std::istringstream lines(read_file(path));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const bool escaped = line.starts_with('\\');
    if (escaped) line.erase(0, 1);
    if (line.find("  ") != kDigits) {
      throw Error::in_file(fmt::format("{}:{}", path.string(), number),
                           "a SHA-256 of 64 digits, two blanks and a name were expected");
    }
    const std::string name = line.substr(kDigits + 2);
    hashes[escaped ? unescaped(name) : name] = line.substr(0, kDigits);
  }
  return hashes;
}

std::vector<std::string> different_files(const std::map<std::string, std::string>& then,
                                         const std::vector<HashedFile>& now) {
  std::vector<std::string> names;
  std::set<std::string> here;
  for (const HashedFile& file : now) {
    here.insert(file.name);
    const auto found = then.find(file.name);
    if (found == then.end() || found->second != file.sha256) names.push_back(file.name);
  }
  for (const auto& [name, hash] : then) {
    if (!here.contains(name)) names.push_back(name);
  }
  return names;
}

std::vector<std::string> changed_files(const fs::path& root, const std::vector<HashedFile>& files) {
  std::vector<std::string> names;
  for (const HashedFile& file : files) {
    const HashedFile now = look_at(root, file.name);
    if (now.bytes == file.bytes && now.changed_ns == file.changed_ns) continue;
    try {
      if (now.bytes == file.bytes && sha256_of(root / file.name) == file.sha256) continue;
    } catch (const Error&) {  // gone, or not to be read any more: not what it was
    }
    names.push_back(file.name);
  }
  return names;
}

std::string few_names(const std::vector<std::string>& names) {
  if (names.size() <= 1) return names.empty() ? "" : names.front();
  return fmt::format("{} and {} more", names.front(), names.size() - 1);
}

}  // namespace segmentum
