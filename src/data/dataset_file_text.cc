#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "base/counted.h"
#include "base/toml_string.h"
#include "data/dataset_file.h"
#include "data/label_values.h"

namespace segmentum {
namespace {

using Kind = LabelEncoding::Kind;

std::string toml_path(const std::filesystem::path& path) {
  return toml_string(path.generic_string());
}

// Comments never end early: a note may quote a file's name.
std::string comment(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20; }, ' ');
  return "# " + text + "\n";
}

// Relative where the data lies below the file, so that both can move together.
std::string root_text(const Dataset& dataset, const std::filesystem::path& folder) {
  const auto root = std::filesystem::absolute(dataset.root).lexically_normal();
  const auto base = std::filesystem::absolute(folder).lexically_normal();
  auto written = root.lexically_relative(base);
  if (written.empty() || *written.begin() == "..") written = root;
  if (!written.has_filename()) written = written.parent_path();  // no slash at the end
  return toml_path(written);
}

std::string numbers(const std::vector<float>& values) {
  return fmt::format("[{:.4f}]", fmt::join(values, ", "));
}

std::string value_list(const LabelEncoding& encoding, std::uint16_t label) {
  std::vector<std::string> values;
  const auto add = [&](std::uint32_t value) {
    const std::string text = label_value_text(value, encoding.kind);
    values.push_back(encoding.kind == Kind::colour ? toml_string(text) : text);
  };
  const auto first = encoding.to_class.find(encoding.ignore_value);
  const bool first_known = label == kIgnoreLabel && first != encoding.to_class.end();
  if (first_known) add(encoding.ignore_value);  // the first one is the one that is written
  for (const auto& [value, to] : encoding.to_class) {
    if (to == label && !(first_known && value == encoding.ignore_value)) add(value);
  }
  return fmt::format("[{}]", fmt::join(values, ", "));
}

std::string masks_text(const LabelEncoding& encoding) {
  std::string text = "\n[masks]\n";
  text += encoding.kind == Kind::value
              ? "kind = \"value\"  # the number in the file: grey value or palette index\n"
              : "kind = \"colour\"  # \"#rrggbb\"\n";
  if (encoding.threshold) {
    return text + fmt::format("threshold = {}  # from this value up: the second class\n",
                              *encoding.threshold);
  }
  return text + fmt::format("ignore = {}  # never trained on, never scored\n",
                            value_list(encoding, kIgnoreLabel));
}

std::string classes_text(const Dataset& dataset) {
  std::string text;
  if (dataset.classes.empty()) {
    return "\n# [[classes]]\n# name = \"background\"\n# values = [0]\n"
           "\n# [[classes]]\n# name = \"object\"\n# values = [1]\n";
  }
  for (int k = 0; k < dataset.class_count(); ++k) {
    const ClassInfo& info = dataset.classes[k];
    text += fmt::format("\n[[classes]]\nname = {}\ncolour = \"#{:06x}\"\nvalues = {}\n",
                        toml_string(info.name), packed(info.colour),
                        value_list(dataset.encoding, static_cast<std::uint16_t>(k)));
  }
  return text;
}

std::string sample_text(const Sample& sample, const PathPatterns& patterns) {
  if (!patterns.empty() && sample.instances.empty()) {
    const std::string name = match_pattern(patterns.image, sample.image.generic_string());
    const std::string mask =
        name.empty() || patterns.mask.empty() ? "" : fill_pattern(patterns.mask, name);
    if (!name.empty() && mask == sample.mask.generic_string()) return toml_string(name);
  }
  if (sample.mask.empty()) return fmt::format("[{}]", toml_path(sample.image));
  const std::string instances = sample.instances.empty() ? "" : ", " + toml_path(sample.instances);
  return fmt::format("[{}, {}{}]", toml_path(sample.image), toml_path(sample.mask), instances);
}

std::string split_text(const std::string& name, const std::vector<Sample>& samples,
                       const DatasetFileOptions& options) {
  const bool bare = std::ranges::all_of(
      name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
  const std::string key = bare && !name.empty() ? name : toml_string(name);
  const auto list = options.lists.find(name);
  if (list != options.lists.end()) {
    return fmt::format("{} = {}  # {}\n", key, toml_path(list->second),
                       counted(samples.size(), "picture"));
  }
  std::string text = fmt::format("{} = [  # {}\n", key, counted(samples.size(), "picture"));
  for (const Sample& sample : samples) text += "  " + sample_text(sample, options.patterns) + ",\n";
  return text + "]\n";
}

std::string splits_text(const Dataset& dataset, const DatasetFileOptions& options) {
  std::string text = "\n[splits]\n";
  if (dataset.splits.empty()) text += "# train = [[\"images/a.png\", \"masks/a.png\"]]\n";
  std::vector<std::string> names = {"train", "val", "test"};
  for (const auto& [name, samples] : dataset.splits) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  for (const std::string& name : names) {
    const auto split = dataset.splits.find(name);
    if (split != dataset.splits.end()) text += split_text(name, split->second, options);
  }
  return text;
}

}  // namespace

std::string dataset_file_text(const Dataset& dataset, const DatasetFileOptions& options) {
  std::string text = comment("What this data set is, for Segmentum. Edit it freely:");
  text += comment("- rename a class: change its name; merge two: put their values in one list;");
  text += comment("- drop a class: delete it and add its values to `ignore`.");
  if (!options.notes.empty()) text += "#\n" + comment("Found:");
  for (const std::string& note : options.notes) text += comment("- " + note);
  if (!options.questions.empty()) text += "#\n" + comment("TO BE DECIDED BY YOU:");
  for (const std::string& question : options.questions) text += comment("- " + question);
  text += fmt::format("\nroot = {}\nchannels = {}\n", root_text(dataset, options.folder),
                      dataset.channels);
  if (!dataset.mean.empty()) {
    text += fmt::format("mean = {}  # of the training pictures, in [0,1]\nstd = {}\n",
                        numbers(dataset.mean), numbers(dataset.std));
  }
  if (!options.patterns.empty()) {
    text += fmt::format("image_pattern = {}\n", toml_string(options.patterns.image));
    if (!options.patterns.mask.empty()) {
      text += fmt::format("mask_pattern = {}\n", toml_string(options.patterns.mask));
    }
  }
  return text + masks_text(dataset.encoding) + classes_text(dataset) +
         splits_text(dataset, options);
}

}  // namespace segmentum
