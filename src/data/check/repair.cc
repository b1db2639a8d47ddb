#include "data/check/repair.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/threads.h"
#include "data/dataset_file.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

/// Whether `inner` is `outer` or lies in it.
bool lies_in(const fs::path& inner, const fs::path& outer) {
  const fs::path relative = inner.lexically_relative(outer);
  return !relative.empty() && *relative.begin() != "..";
}

fs::path settled(const fs::path& path) {
  fs::path settled = fs::weakly_canonical(fs::absolute(path));
  return settled.has_filename() ? settled : settled.parent_path();
}

void check_folder(const fs::path& folder, const fs::path& root) {
  const fs::path to = settled(folder), from = settled(root);
  if (lies_in(to, from) || lies_in(from, to)) {
    throw Error::in_file(folder.string(),
                         fmt::format("lies in the folder of the data or around it ({}); the "
                                     "corrected data set needs a folder of its own beside it",
                                     root.string()));
  }
  std::error_code unknown;
  if (fs::exists(folder, unknown) && !fs::is_directory(folder, unknown)) {
    throw Error::in_file(folder.string(), "is a file; expected a new folder");
  }
  if (fs::is_directory(folder, unknown) && !fs::is_empty(folder, unknown)) {
    throw Error::in_file(folder.string(),
                         "is not empty; the corrected data set needs a new folder");
  }
}

/// What becomes of one sample.
struct Repaired {
  Sample sample;  // in the new data set
  std::string split;
  std::string left_out;  // empty: it is written
  bool turned = false;
  bool changed = false;
  std::string change;  // one line for repairs.txt
};

class Repair {
 public:
  Repair(const CheckResult& result, const RepairOptions& options, fs::path part)
      : checkup_(result.checkup), options_(options), part_(std::move(part)) {
    palette_ = palette_of(checkup_.dataset.classes);
  }

  Repaired write(const CheckedSample& sample) const {
    Repaired repaired{.split = sample.split, .left_out = sample.remedy.left_out};
    if (!repaired.left_out.empty()) return repaired;
    try {
      write_picture(sample, repaired);
      write_mask(sample, repaired);
      write_instances(sample, repaired);
    } catch (const Error& error) {
      const std::string what = error.what();
      if (what.starts_with(part_.string())) throw;  // it cannot be written: nor can the rest
      repaired.left_out = what;                     // it changed since it was checked
      std::error_code ignored;
      fs::remove(part_ / repaired.sample.image, ignored);
    }
    return repaired;
  }

 private:
  /// "images/train/a" and the extension.
  static fs::path place(const char* folder, const CheckedSample& sample,
                        const fs::path& extension) {
    fs::path path = fs::path(folder) / sample.split / fs::path(sample.sample.name).relative_path();
    path += extension;
    return path.lexically_normal();
  }

  void copy(const fs::path& from, const fs::path& to) const {
    const fs::path target = part_ / to;
    fs::create_directories(target.parent_path());
    if (options_.link) {
      fs::create_symlink(settled(from), target);
    } else {
      write_file(target, read_file(from));
    }
  }

  void write_picture(const CheckedSample& sample, Repaired& repaired) const {
    const fs::path from = checkup_.dataset.root / sample.sample.image;
    const ImageSize& size = sample.picture.size;
    const bool fits_png = size.type != PixelType::f32 && size.channels <= 4;
    repaired.turned = sample.picture.form.orientation != 1 && fits_png;
    repaired.sample.image =
        place("images", sample, repaired.turned ? ".png" : sample.sample.image.extension());
    if (repaired.turned) {
      write_png(part_ / repaired.sample.image, read_image(from));
      repaired.change += " picture turned upright;";
    } else {
      copy(from, repaired.sample.image);
    }
  }

  void write_mask(const CheckedSample& sample, Repaired& repaired) const {
    const Remedy& remedy = sample.remedy;
    repaired.sample.mask = place("masks", sample, ".png");
    write_label_png(part_ / repaired.sample.mask, repaired_labels(checkup_, sample), palette_);
    const auto note = [&](bool applies, const std::string& what) {
      if (applies) repaired.change += " " + what + ";";
      repaired.changed = repaired.changed || applies;
    };
    if (remedy.reading >= 0) {
      note(true, checkup_.readings[static_cast<std::size_t>(remedy.reading)].what);
    }
    note(remedy.fill_unknown, "values between classes took the nearest label");
    note(remedy.fill_ramps, "interpolated labels took the label beside them");
    note(!remedy.fill_unknown && remedy.reading < 0 && sample.mask.reading.unknown.count > 0,
         "values of no class are ignored");
    note(remedy.turn_mask != 1, "mask turned with the picture");
    note(remedy.resize_mask, "mask resized");
    note(!remedy.own_mask.empty(), "paired with " + remedy.own_mask.generic_string());
  }

  /// As they are; those of another size than the picture would not be read.
  void write_instances(const CheckedSample& sample, Repaired& repaired) const {
    const fs::path& from = sample.sample.instances;
    const bool fits = sample.remedy.turn_mask == 1 && !sample.remedy.resize_mask &&
                      sample.remedy.own_mask.empty();
    if (from.empty() || !fits) return;
    repaired.sample.instances = place("instances", sample, from.extension());
    copy(checkup_.dataset.root / from, repaired.sample.instances);
  }

  const Checkup& checkup_;
  const RepairOptions& options_;
  fs::path part_;
  Palette palette_;
};

/// A folder under construction, gone unless it is finished.
class PartFolder {
 public:
  explicit PartFolder(const fs::path& finished) : finished_(finished), path_(settled(finished)) {
    path_ += ".part";
    fs::remove_all(path_);
  }
  ~PartFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  PartFolder(const PartFolder&) = delete;
  PartFolder& operator=(const PartFolder&) = delete;

  const fs::path& path() const { return path_; }
  void finish() {
    fs::remove(finished_);  // it is empty, or not there
    fs::rename(path_, finished_);
  }

 private:
  fs::path finished_;
  fs::path path_;
};

std::vector<Repaired> repair_all(const CheckResult& result, const RepairOptions& options,
                                 const fs::path& part) {
  const auto& samples = result.checkup.samples;
  const Repair repair(result, options, part);
  const auto stretch = 4 * static_cast<std::int64_t>(threads());
  const auto count = static_cast<std::int64_t>(samples.size());
  std::vector<Repaired> all(samples.size());
  if (options.progress != nullptr) options.progress->begin("write", count, "picture");
  for (std::int64_t first = 0; first < count; first += stretch) {
    if (options.progress != nullptr && options.progress->stop_requested()) throw Interrupted();
    const std::int64_t some = std::min(stretch, count - first);
    parallel_for(some, [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(first + i);
      all[at] = repair.write(samples[at]);
    });
    if (options.progress != nullptr) options.progress->update(first + some, "");
  }
  if (options.progress != nullptr) options.progress->end();
  return all;
}

/// The description of what was written: class numbers.
Dataset repaired_dataset(const Dataset& from, const std::vector<Repaired>& all,
                         const fs::path& part) {
  Dataset dataset{.root = part,
                  .classes = from.classes,
                  .channels = from.channels,
                  .mean = from.mean,
                  .std = from.std};
  for (int k = 0; k < from.class_count(); ++k) {
    dataset.encoding.to_class[static_cast<std::uint32_t>(k)] = static_cast<std::uint16_t>(k);
  }
  dataset.encoding.ignore_value = from.class_count() <= 255 ? 255 : kIgnoreLabel;
  dataset.encoding.to_class[dataset.encoding.ignore_value] = kIgnoreLabel;
  for (const Repaired& one : all) {
    if (one.left_out.empty()) dataset.splits[one.split].push_back(one.sample);
  }
  return dataset;
}

/// A line for each sample that changed or is left out; counts them.
std::string report_of(const Checkup& checkup, const std::vector<Repaired>& all,
                      RepairSummary& summary) {
  std::string report;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const CheckedSample& sample = checkup.samples[i];
    const std::string name = sample.split + "'s " + sample.sample.image.generic_string();
    if (!all[i].left_out.empty()) {
      summary.left_out.push_back(name + ": " + all[i].left_out);
      report += name + ": left out: " + all[i].left_out + "\n";
      continue;
    }
    ++summary.written;
    summary.turned += all[i].turned;
    summary.changed_labels += all[i].changed;
    if (!all[i].change.empty()) report += name + ":" + all[i].change + "\n";
  }
  return report;
}

}  // namespace

void require_repair_folder(const std::filesystem::path& folder, const std::filesystem::path& data) {
  if (!fs::exists(data)) return;  // told of by whoever reads it
  const fs::path file = description_of(data);
  check_folder(folder, file.empty() ? data : read_dataset_file(file).root);
  require_writable_folder(settled(folder).parent_path());
}

RepairSummary repair_dataset(const CheckResult& result, const RepairOptions& options) {
  const Checkup& checkup = result.checkup;
  check_folder(options.folder, checkup.dataset.root);
  if (checkup.dataset.classes.empty()) {
    throw Error::in_file(checkup.dataset.root.string(),
                         "what the values of its masks mean is not known, so they cannot be "
                         "corrected; describe them in a dataset.toml (segmentum init writes one)");
  }
  PartFolder part(options.folder);
  const std::vector<Repaired> all = repair_all(result, options, part.path());
  const std::string source = settled(checkup.dataset.root).string();
  RepairSummary summary;
  write_file(part.path() / "repairs.txt",
             "What changed on the way from " + source + "\n\n" + report_of(checkup, all, summary));
  if (summary.written == 0) {
    throw Error::in_file(checkup.dataset.root.string(),
                         "nothing of it can be saved: " + summary.left_out.front());
  }
  const Dataset dataset = repaired_dataset(checkup.dataset, all, part.path());
  write_file(
      part.path() / "dataset.toml",
      dataset_file_text(dataset, {.folder = part.path(),
                                  .notes = {"corrected by segmentum check --fix from " + source}}));
  part.finish();
  return summary;
}

}  // namespace segmentum
