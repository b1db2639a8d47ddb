// What the tests of the label doctor share: data sets to plant faults in, and how to plant them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "data/check/check.h"
#include "data/dataset_file.h"
#include "data/inspect.h"
#include "data/sample_list.h"
#include "data/scenes.h"
#include "data/testing.h"
#include "image/resize.h"

namespace segmentum {

namespace fs = std::filesystem;

/// A data set with list files in a temporary folder, made of another one: its files are links to
/// the source until a test puts others in their place, so the source is never written.
class PatientData {
 public:
  /// 10 and 4 generated scenes of 64x48: 8 classes, palette masks, classes.csv.
  static PatientData scenes() {
    PatientData data;
    write_scenes(data.root(), {.train = 10, .val = 4, .test = 0}, 11, {.height = 48, .width = 64});
    fs::remove(data / "test.txt");
    data.read_lists();
    return data;
  }

  /// `counts` pictures of each list of a real data set, evenly spread; with its legend. The caller
  /// has made sure that it is there.
  static PatientData real(const std::string& name, const std::map<std::string, int>& counts) {
    PatientData data;
    const fs::path source = real_data(name);
    for (const auto& [list, count] : counts) {
      const auto lines = parse_list(read_file(source / list));
      std::string text;
      for (int i = 0; i < count; ++i) {
        const auto& fields = lines[i * lines.size() / count].fields;
        text += fields[0] + " " + fields[1] + "\n";
        for (int f : {0, 1}) data.link(source, fields[f]);
      }
      data.write(list, text);
    }
    if (fs::exists(source / "classes.csv")) data.link(source, "classes.csv");
    data.read_lists();
    return data;
  }

  /// All pictures below a real folder, by the names that they have there.
  static PatientData real_folder(const std::string& name) {
    PatientData data;
    const fs::path source = real_data(name);
    for (const auto& entry : fs::recursive_directory_iterator(source)) {
      const fs::path path = entry.path().lexically_relative(source);
      if (entry.is_regular_file() && (is_image_file(path) || path.extension() == ".txt")) {
        data.link(source, path);
      }
    }
    return data;
  }

  const fs::path& root() const { return folder_->path(); }
  fs::path operator/(const fs::path& path) const { return root() / path; }

  /// Paths below the root, as the lists name them: train first.
  std::vector<fs::path> images, masks;
  std::vector<std::string> splits;

  /// Puts something in the place of a file.
  void write(const fs::path& path, const std::string& content) const {
    fs::remove(root() / path);
    write_file(root() / path, content);
  }
  void write(const fs::path& path, ImageView image) const { write(path, encode_png(image)); }
  void remove(const fs::path& path) const { fs::remove(root() / path); }

  RawMask mask(std::size_t i) const { return read_mask(root() / masks[i]); }
  Image picture(std::size_t i) const { return read_image(root() / images[i]); }

  /// Every value of mask `i` (of one channel) changed.
  void change_values(std::size_t i, const std::function<int(int)>& change,
                     PixelType type = PixelType::u8) const {
    const RawMask old = mask(i);
    Image image(old.values.height(), old.values.width(), 1, type);
    for (int y = 0; y < image.height(); ++y) {
      for (int x = 0; x < image.width(); ++x) {
        const int value = change(old.values.row<std::uint8_t>(y)[x]);
        if (type == PixelType::u8) image.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(value);
        if (type == PixelType::u16)
          image.row<std::uint16_t>(y)[x] = static_cast<std::uint16_t>(value);
      }
    }
    write(masks[i], image);
  }
  void change_all_values(const std::function<int(int)>& change,
                         PixelType type = PixelType::u8) const {
    for (std::size_t i = 0; i < masks.size(); ++i) change_values(i, change, type);
  }
  /// Mask `i` as a picture of `channels` channels that `paint` fills from its values.
  void paint(std::size_t i, int channels,
             const std::function<std::vector<int>(int value)>& paint) const {
    write(masks[i], painted(i, channels, paint));
  }
  Image painted(std::size_t i, int channels,
                const std::function<std::vector<int>(int value)>& paint) const {
    const RawMask old = mask(i);
    Image image(old.values.height(), old.values.width(), channels);
    for (int y = 0; y < image.height(); ++y) {
      auto* to = image.row<std::uint8_t>(y);
      for (int x = 0; x < image.width(); ++x) {
        for (const int sample : paint(old.values.row<std::uint8_t>(y)[x])) {
          *to++ = static_cast<std::uint8_t>(sample);
        }
      }
    }
    return image;
  }

  /// The list file of a split anew, of "image mask" lines.
  void write_list(const std::string& split,
                  const std::vector<std::pair<fs::path, fs::path>>& pairs) const {
    std::string text;
    for (const auto& [image, mask] : pairs) text += image.string() + " " + mask.string() + "\n";
    write(split + ".txt", text);
  }
  std::vector<std::pair<fs::path, fs::path>> pairs(const std::string& split) const {
    std::vector<std::pair<fs::path, fs::path>> result;
    for (std::size_t i = 0; i < images.size(); ++i) {
      if (splits[i] == split) result.emplace_back(images[i], masks[i]);
    }
    return result;
  }

  /// A dataset.toml over the lists with these classes, each of one value 0, 1, ... from `first`.
  void describe(const std::vector<std::string>& classes, int first = 0,
                const std::string& masks_table = "", int channels = 3) const {
    std::string text =
        "channels = " + std::to_string(channels) + "\n[masks]\n" + masks_table + "\n";
    for (const std::string& name : classes) {
      text += "[[classes]]\nname = \"" + name + "\"\nvalues = [" + std::to_string(first++) + "]\n";
    }
    write("dataset.toml", text + "[splits]\ntrain = \"train.txt\"\nval = \"val.txt\"\n");
  }

 private:
  PatientData() : folder_(std::make_unique<TemporaryFolder>()) {}

  void link(const fs::path& source, const fs::path& path) const {
    fs::create_directories((root() / path).parent_path());
    if (!fs::exists(root() / path)) {
      fs::create_symlink(fs::canonical(source / path), root() / path);
    }
  }
  void read_lists() {
    for (const char* split : {"train", "val"}) {
      for (const ListLine& line : parse_list(read_file(root() / (std::string(split) + ".txt")))) {
        images.emplace_back(line.fields[0]);
        masks.emplace_back(line.fields[1]);
        splits.emplace_back(split);
      }
    }
  }

  std::unique_ptr<TemporaryFolder> folder_;
};

/// The colour of a scene's class, as its classes.csv has it.
inline std::vector<int> scene_colour(int value) {
  const Rgb colour = scene_classes()[static_cast<std::size_t>(value)].colour;
  return {colour.r, colour.g, colour.b};
}

/// A mask resized as pictures are, to half its size and back: values between their neighbours.
inline Image interpolated(const Image& mask) {
  return resize(resize(mask, mask.height() / 2, mask.width() / 2, {.antialias = true}),
                mask.height(), mask.width());
}

inline std::vector<Finding> findings_of(const fs::path& path) {
  return check_dataset(path).checkup.findings;
}

/// What is found before a training.
inline std::vector<Finding> findings_before_training(const fs::path& data,
                                                     std::int64_t most_pixels = 1 << 25) {
  return quick_check(open_dataset(data), {.splits = {"train", "val"},
                                          .described = !description_of(data).empty(),
                                          .most_pixels = most_pixels})
      .findings;
}

/// The folder as `segmentum init` describes it.
inline Inspection describe(const fs::path& folder) {
  Inspection inspection = inspect_folder(folder);
  check_inspection(inspection);
  write_file(folder / "dataset.toml", dataset_toml(inspection, folder));
  return inspection;
}

inline std::string text_of(const Finding& finding) {
  std::string text = std::string(severity_name(finding.severity)) + " " +
                     fault_name(finding.fault) + " (" + std::to_string(finding.count) +
                     "): " + finding.what;
  for (const FaultyFile& file : finding.files) {
    text += "\n    " + file.path.string() + " " + file.detail;
  }
  return text;
}

inline std::ostream& operator<<(std::ostream& out, const Finding& finding) {  // for GoogleTest
  return out << text_of(finding);
}

/// No errors, no warnings.
MATCHER(IsHealthy, "") {
  for (const Finding& finding : arg) {
    if (finding.severity == Severity::note) continue;
    *result_listener << "\n  " << text_of(finding);
  }
  return std::ranges::all_of(
      arg, [](const Finding& finding) { return finding.severity == Severity::note; });
}

/// Exactly one fault that is no note: this one, in `count` files.
MATCHER_P3(HasOnly, fault, severity, count,
           std::string(severity_name(severity)) + " " + fault_name(fault) + " in " +
               std::to_string(count) + " files") {
  int faults = 0;
  bool found = false;
  for (const Finding& finding : arg) {
    if (finding.severity == Severity::note && severity != Severity::note) continue;
    *result_listener << "\n  " << text_of(finding);
    if (finding.severity != Severity::note || finding.fault == fault) ++faults;
    found =
        found || (finding.fault == fault && finding.severity == severity && finding.count == count);
  }
  return found && faults == 1;
}

/// One fault among others, whose what, fix or details hold `text`.
MATCHER_P3(Has, fault, severity, text,
           std::string(severity_name(severity)) + " " + fault_name(fault) + " saying \"" + text +
               "\"") {
  for (const Finding& finding : arg) {
    *result_listener << "\n  " << text_of(finding);
    const std::string all = text_of(finding) + finding.fix;
    if (finding.fault == fault && finding.severity == severity &&
        all.find(text) != std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace segmentum
