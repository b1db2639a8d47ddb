#include "interop/named_classes.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "data/class_legend.h"
#include "data/dataset_file.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

std::vector<ClassInfo> classes_of(const std::vector<LegendEntry>& entries) {
  const Palette palette = Palette::voc(static_cast<int>(entries.size()));
  std::vector<ClassInfo> classes;
  for (const LegendEntry& entry : entries) {
    classes.push_back({entry.name, entry.colour.value_or(palette.colours[classes.size()])});
  }
  return classes;
}

}  // namespace

std::vector<ClassInfo> voc_classes() {
  constexpr std::array kNames{
      "background", "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",
      "car",        "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",
      "motorbike",  "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"};
  const Palette palette = Palette::voc(static_cast<int>(kNames.size()));
  std::vector<ClassInfo> classes;
  for (std::size_t k = 0; k < kNames.size(); ++k)
    classes.push_back({kNames[k], palette.colours[k]});
  return classes;
}

std::vector<ClassInfo> numbered_classes(int count) {
  const Palette palette = Palette::voc(count);
  std::vector<ClassInfo> classes;
  for (const Rgb& colour : palette.colours) {
    classes.push_back({"class_" + std::to_string(classes.size()), colour});
  }
  return classes;
}

std::vector<ClassInfo> read_classes(const std::filesystem::path& path, int count) {
  if (path.extension() == ".toml") return read_dataset_file(path).classes;
  std::vector<LegendEntry> entries = parse_legend(read_file(path));
  if (entries.empty()) {
    throw Error::in_file(path.string(),
                         "names no classes; expected a dataset.toml, a CSV file with a column "
                         "\"name\", or one name a line, each name once");
  }
  std::ranges::stable_sort(entries, {}, &LegendEntry::value);
  const auto ignored = std::ranges::count_if(entries, &LegendEntry::ignore);
  const auto size = static_cast<std::ptrdiff_t>(entries.size());
  if (size != count || size - ignored == count) std::erase_if(entries, &LegendEntry::ignore);
  return classes_of(entries);
}

}  // namespace segmentum
