#include "train/run_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <string>
#include <utility>

#include "base/counted.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/version.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

std::string time_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

}  // namespace

RunRecord::RunRecord(const RunFolder& folder, const RunFacts& facts, const TrainingSetup& setup,
                     std::string data_identity, bool goes_on, ProgressSink& progress)
    : folder_(folder),
      files_(
          hash_data(setup.dataset, {setup.config.train_split, setup.config.val_split}, progress)),
      call_{.command = facts.command,
            .started = time_now(),
            .ended = {},
            .steps = {},
            .program = facts.program} {
  const fs::path& root = setup.dataset.root;
  call_.program.try_emplace("version", segmentum_version());
  if (goes_on) take_over(progress);
  manifest_.data = fs::absolute(facts.data.empty() ? root : facts.data);
  manifest_.data_folder = fs::absolute(root);
  manifest_.data_identity = std::move(data_identity);
  manifest_.data_files = std::ssize(files_);
  manifest_.data_bytes = 0;
  for (const HashedFile& file : files_) manifest_.data_bytes += file.bytes;
  manifest_.config = settings_of(setup.config);
  if (!goes_on && !setup.config.init.empty()) {
    manifest_.init_sha256 = sha256_of(setup.config.init);
  }
  const std::string hashes = to_text(files_);
  manifest_.data_sha256 = Sha256().add(hashes).digits();
  manifest_.calls.push_back(call_);
  write_file(folder_.data_hashes(), hashes);
  write_file(folder_.manifest(), to_json(manifest_));
}

void RunRecord::take_over(ProgressSink& progress) {
  if (!fs::exists(folder_.manifest()) || !fs::exists(folder_.data_hashes())) return;
  std::map<std::string, std::string> hashes;
  try {
    hashes = read_hashes(folder_.data_hashes());
    manifest_ = read_manifest(folder_.manifest());
  } catch (const Error& error) {  // the checkpoint is what counts
    progress.message(fmt::format(
        "{}. This training goes on all the same, with a new manifest that knows nothing of its "
        "calls so far: whether data or program changed since then is not known",
        error.what()));
    return;
  }
  note_changes(different_files(hashes, files_), "since this training began", progress);
  for (const RunCall& earlier : manifest_.calls) {
    const std::string other = difference(earlier.program, call_.program);
    if (other.empty()) continue;
    progress.message(
        fmt::format("this training began with another program or machine ({}): its weights may be "
                    "others than those of an unbroken run",
                    other));
    return;
  }
}

void RunRecord::note_changes(const std::vector<std::string>& names, const char* when,
                             ProgressSink& progress) {
  if (names.empty()) return;
  for (const std::string& name : names) {
    if (!std::ranges::count(manifest_.changed, name)) manifest_.changed.push_back(name);
  }
  progress.message(
      fmt::format("{} of the data changed {}: {}. Which content was learnt from is not known, so "
                  "this run cannot be repeated; where that matters, train anew",
                  counted(names.size(), "file"), when, few_names(names)));
}

void RunRecord::finish(std::int64_t steps, ProgressSink& progress) {
  note_changes(changed_files(manifest_.data_folder, files_), "while this training ran", progress);
  RunCall& call = manifest_.calls.back();
  call.ended = time_now();
  call.steps = steps;
  manifest_.weights = weight_hashes(folder_.checkpoint(), folder_.best());
  write_file(folder_.manifest(), to_json(manifest_));
}

}  // namespace segmentum
