#include "fetch/fetch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <vector>

#include "annotations/label_source.h"
#include "annotations/label_writer.h"
#include "base/counted.h"
#include "base/file.h"
#include "fetch/git.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

/// Held while a folder is fetched into; given up when the program ends, however it does.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder) {
    fs::create_directories(folder);
    file_ = ::open((folder / ".fetching").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (file_ < 0)
      throw Error::in_file(folder.string(), "cannot be written; name another folder with --out");
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(file_);
    throw Error::in_file(
        folder.string(),
        "another fetch works here; wait for it, or name another folder with --out");
  }
  ~FolderLock() { ::close(file_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_ = -1;
};

std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.insert(line);
  }
  return lines;
}

/// The repository's copy of what a data set needs.
class Checkout {
 public:
  Checkout(const PublicDataset& dataset, const fs::path& folder, ProgressSink* progress)
      : dataset_(dataset), folder_(folder), git_(folder, progress), progress_(progress) {}

  /// True if there was nothing to do.
  bool complete() {
    prepare();
    const bool was_there = noted(kComplete);
    if (!was_there) {
      if (!noted(kHasCommit)) fetch_commit();
      take_folders();
    }
    verify();
    note(kComplete);
    return was_there;
  }

 private:
  static constexpr const char* kHasCommit = "segmentum-commit";
  static constexpr const char* kComplete = "segmentum-complete";

  /// What an earlier fetch has finished stands in a file of this name, which holds the commit.
  bool noted(const char* what) const {
    const fs::path file = folder_ / ".git" / what;
    if (!fs::exists(file)) return false;
    if (read_file(file) == dataset_.commit) return true;
    throw Error::in_file(folder_.string(),
                         "holds another commit or data set; name another folder with --out");
  }
  void note(const char* what) const { write_file(folder_ / ".git" / what, dataset_.commit); }

  void prepare() {
    fs::create_directories(folder_);
    if (!fs::exists(folder_ / ".git" / "HEAD")) git_.run({"init", "--quiet"});
    // What a killed git leaves behind; nobody else works here, see FolderLock.
    for (const char* lock : {"index.lock", "shallow.lock", "config.lock", "config.worktree.lock",
                             "HEAD.lock", "info/sparse-checkout.lock"}) {
      std::error_code ignored;
      fs::remove(folder_ / ".git" / lock, ignored);
    }
    git_.run({"config", "remote.origin.url", dataset_.url});
    git_.run({"config", "core.autocrlf", "false"});
    git_.run({"config", "core.hooksPath", "/dev/null"});
  }

  void fetch_commit() {
    if (progress_ != nullptr)
      progress_->message("asking " + dataset_.url + " for commit " + dataset_.commit);
    // Without history, and without contents until a folder is wanted; servers may refuse either.
    const std::vector<std::string> fetch{"fetch", "--quiet", "--no-tags"};
    const auto with = [&](std::vector<std::string> more) {
      std::vector<std::string> words = fetch;
      words.insert(words.end(), more.begin(), more.end());
      return words;
    };
    if (!git_.succeeds(with({"--depth=1", "--filter=blob:none", "origin", dataset_.commit})) &&
        !git_.succeeds(with({"--depth=1", "origin", dataset_.commit}))) {
      git_.run(with({"origin", "+refs/heads/*:refs/remotes/origin/*"}));
    }
    if (!git_.succeeds({"cat-file", "-e", dataset_.commit + "^{commit}"})) {
      throw Error::in_file(dataset_.url, "has no commit " + dataset_.commit);
    }
    note(kHasCommit);
  }

  /// That an interrupted fetch has taken.
  std::set<std::string> folders_there() const {
    return lines_of(git_.run({"sparse-checkout", "list"}));
  }

  /// One folder after the other: what is there stays there, whatever happens to the next.
  void take_folders() {
    git_.run({"sparse-checkout", "init", "--cone"});
    std::set<std::string> wanted = folders_there();
    const auto total = static_cast<std::int64_t>(dataset_.folders.size());
    if (progress_ != nullptr) progress_->begin("fetch", total, "folder");
    std::int64_t done = 0;
    for (const PublicDataset::Count& part : dataset_.folders) {
      if (progress_ != nullptr) progress_->update(done, part.folder);
      wanted.insert(part.folder);
      std::vector<std::string> words{"sparse-checkout", "set"};
      words.insert(words.end(), wanted.begin(), wanted.end());
      git_.run(words);
      // Over what an interrupted one left half-written.
      git_.run({"checkout", "--quiet", "--force", "--detach", dataset_.commit});
      ++done;
      if (progress_ != nullptr) progress_->update(done, part.folder);
    }
    if (progress_ != nullptr) progress_->end();
  }

  /// "M file" of the first file that is not as the commit has it; empty: there is none.
  std::string first_difference() const {
    const std::set<std::string> lines =
        lines_of(git_.run({"status", "--porcelain", "--untracked-files=no"}));
    return lines.empty() ? "" : *lines.begin();
  }

  void verify() const {
    const std::set<std::string> head = lines_of(git_.run({"rev-parse", "HEAD"}));
    if (!head.contains(dataset_.commit)) {
      throw Error::in_file(folder_.string(), "is not at commit " + dataset_.commit +
                                                 "; take the folder away and fetch again");
    }
    if (const std::string difference = first_difference(); !difference.empty()) {
      throw Error::in_file(
          folder_.string(),
          fmt::format("is not what commit {} holds (\"{}\"); `git -C {} checkout .` brings it back",
                      dataset_.commit.substr(0, 12), difference, folder_.string()));
    }
    for (const PublicDataset::Count& part : dataset_.folders) {
      if (part.files == 0) continue;  // nobody has counted them
      const int found = count_png(folder_ / part.folder);
      if (found != part.files) {
        throw Error::in_file(
            (folder_ / part.folder).string(),
            fmt::format("holds {} but {} were expected; take the folder away and fetch again",
                        counted(found, "PNG file"), part.files));
      }
    }
  }

  static int count_png(const fs::path& folder) {
    int count = 0;
    std::error_code code;
    for (fs::recursive_directory_iterator at(folder, code);
         !code && at != fs::recursive_directory_iterator(); at.increment(code)) {
      count += at->path().extension() == ".png";
    }
    return count;
  }

  const PublicDataset& dataset_;
  fs::path folder_;
  Git git_;
  ProgressSink* progress_;
};

/// The folder that is described: of the repository, or what is made of its object folders.
fs::path data_folder(const PublicDataset& dataset, const fs::path& source,
                     const FetchOptions& options) {
  fs::path data = source / dataset.data;
  if (!dataset.object_folders) {
    if (!dataset.legend.empty()) write_file(data / "classes.csv", dataset.legend);
    return data;
  }
  fs::path made = options.out / "data";
  if (fs::exists(made / "dataset.toml")) return made;
  const LabelSource labels = open_label_source(data, {.from = "objects"});
  const WriteSummary summary = write_labels(labels, {.format = LabelFormat::masks,
                                                     .out = made,
                                                     .seed = options.seed,
                                                     .progress = options.progress});
  if (!summary.failures.empty()) throw Error(summary.failures.front());
  return made;
}

void check_url(const PublicDataset& dataset) {
  if (dataset.url.empty() || dataset.url.front() == '-') {
    throw Error(fmt::format("\"{}\" is no address of a repository", dataset.url));
  }
  const bool hexadecimal = std::ranges::all_of(
      dataset.commit, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (dataset.commit.size() != 40 || !hexadecimal) {
    throw Error(
        fmt::format("\"{}\" is no commit; expected its 40 hexadecimal digits", dataset.commit));
  }
}

}  // namespace

FetchedDataset fetch_dataset(const PublicDataset& dataset, const FetchOptions& options) {
  check_url(dataset);
  const FolderLock lock(options.out);
  const fs::path source = options.out / "source";
  FetchedDataset fetched;
  try {
    fetched.was_there = Checkout(dataset, source, options.progress).complete();
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    throw Error(
        fmt::format("{}: {}; the same command goes on where it ended", dataset.name, error.what()));
  }
  const fs::path data = data_folder(dataset, source, options);
  fetched.inspection = inspect_folder(data, options.seed);
  fetched.description = options.out / "dataset.toml";
  if (!fs::exists(fetched.description)) {
    write_file(fetched.description, dataset_toml(fetched.inspection, options.out));
  }
  return fetched;
}

}  // namespace segmentum
