#include "data/dataset_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <initializer_list>
#include <set>

#include "base/file.h"
#include "data/label_values.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Kind = LabelEncoding::Kind;

// One dataset.toml being read: every complaint names the file and the line.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path) {}

  Dataset read() {
    toml::table file;
    try {
      file = toml::parse(read_file(path_), path_.string());
    } catch (const toml::parse_error& error) {
      throw Error(
          fmt::format("{}:{}: {}", path_.string(), error.source().begin.line, error.description()));
    }
    known_keys(file, {"root", "channels", "mean", "std", "image_pattern", "mask_pattern", "masks",
                      "classes", "splits"});
    read_root(file);
    read_pictures(file);
    read_masks(file);
    read_classes(file);
    read_ignore(file);
    read_splits(file);
    return std::move(dataset_);
  }

 private:
  [[noreturn]] void fail(const toml::node& where, const std::string& what) const {
    throw Error(fmt::format("{}:{}: {}", path_.string(), where.source().begin.line, what));
  }

  void known_keys(const toml::table& table, std::initializer_list<std::string_view> known) const {
    for (const auto& [key, node] : table) {
      if (std::ranges::find(known, key.str()) == known.end()) {
        fail(node,
             fmt::format("unknown key \"{}\"; known here: {}", key.str(), fmt::join(known, ", ")));
      }
    }
  }

  std::string text(const toml::node& node, std::string_view what) const {
    if (const auto value = node.value_exact<std::string>()) return *value;
    fail(node, fmt::format("{} is expected to be a text in \"quotes\"", what));
  }

  std::int64_t integer(const toml::node& node, std::string_view what, std::int64_t low,
                       std::int64_t high) const {
    const auto value = node.value_exact<std::int64_t>();
    if (!value) fail(node, fmt::format("{} is expected to be a whole number", what));
    if (*value < low || *value > high) {
      fail(node, fmt::format("{} is {}; expected {} to {}", what, *value, low, high));
    }
    return *value;
  }

  const toml::array& array(const toml::node& node, std::string_view what) const {
    if (const toml::array* values = node.as_array()) return *values;
    fail(node, fmt::format("{} is expected to be a list in [brackets]", what));
  }

  const toml::table& table(const toml::node& node, std::string_view what) const {
    if (const toml::table* values = node.as_table()) return *values;
    fail(node, fmt::format("{} is expected to be a table of its own", what));
  }

  Rgb colour(const toml::node& node) const {
    const std::string value = text(node, "a colour");
    if (const std::optional<Rgb> known = colour_of_text(value)) return *known;
    fail(node, fmt::format("\"{}\" is no colour; expected \"#rrggbb\" in hexadecimal", value));
  }

  void read_root(const toml::table& file) {
    std::filesystem::path root = ".";
    if (const toml::node* node = file.get("root")) root = text(*node, "root");
    dataset_.root = (path_.parent_path() / root).lexically_normal();
    if (dataset_.root.empty()) dataset_.root = ".";
    if (!std::filesystem::is_directory(dataset_.root)) {
      throw Error::in_file(path_.string(),
                           fmt::format("root \"{}\" is no folder; expected where the pictures lie, "
                                       "absolute or from this file's folder",
                                       dataset_.root.string()));
    }
  }

  std::vector<float> statistics(const toml::table& file, const char* key, float standard) const {
    const toml::node* node = file.get(key);
    if (node == nullptr) return std::vector<float>(dataset_.channels, standard);
    std::vector<float> values;
    for (const toml::node& element : array(*node, key)) {
      const auto value = element.value<double>();
      if (!value) fail(element, fmt::format("{} is expected to hold numbers", key));
      values.push_back(static_cast<float>(*value));
    }
    if (static_cast<int>(values.size()) != dataset_.channels) {
      fail(*node, fmt::format("{} has {} numbers; expected one for each of {} channels", key,
                              values.size(), dataset_.channels));
    }
    return values;
  }

  void read_pictures(const toml::table& file) {
    if (const toml::node* node = file.get("channels")) {
      dataset_.channels = static_cast<int>(integer(*node, "channels", 1, 4096));
    }
    dataset_.mean = statistics(file, "mean", 0.5f);
    dataset_.std = statistics(file, "std", 0.25f);
    for (const float deviation : dataset_.std) {
      if (!(deviation > 0)) fail(*file.get("std"), "std is expected to be above 0");
    }
    patterns_.image = pattern(file, "image_pattern");
    patterns_.mask = pattern(file, "mask_pattern");
    if (patterns_.empty() && !patterns_.mask.empty()) {
      fail(*file.get("mask_pattern"), "mask_pattern needs an image_pattern beside it");
    }
  }

  std::string pattern(const toml::table& file, const char* key) const {
    const toml::node* node = file.get(key);
    if (node == nullptr) return "";
    std::string value = text(*node, key);
    if (value.find("{}") == std::string::npos) {
      fail(*node, fmt::format("{} is expected to hold {{}} where the name stands, as in "
                              "\"images/{{}}.png\"",
                              key));
    }
    return value;
  }

  void read_masks(const toml::table& file) {
    const toml::node* node = file.get("masks");
    if (node == nullptr) return;
    const toml::table& masks = table(*node, "masks");
    known_keys(masks, {"kind", "ignore", "threshold"});
    if (const toml::node* kind = masks.get("kind")) {
      const std::string name = text(*kind, "kind");
      if (name == "colour" || name == "color") {
        dataset_.encoding.kind = Kind::colour;
      } else if (name != "value") {
        fail(*kind, fmt::format("kind is \"{}\"; expected \"value\" or \"colour\"", name));
      }
    }
    if (const toml::node* threshold = masks.get("threshold")) {
      if (dataset_.encoding.kind != Kind::value)
        fail(*threshold, "threshold needs kind = \"value\"");
      dataset_.encoding.threshold = static_cast<int>(integer(*threshold, "threshold", 1, 65535));
    }
  }

  std::uint32_t mask_value(const toml::node& node) const {
    if (dataset_.encoding.kind == Kind::colour) return packed(colour(node));
    if (!node.is_integer()) {
      fail(node, "a mask value is expected to be a whole number; colours need kind = \"colour\"");
    }
    return static_cast<std::uint32_t>(integer(node, "a mask value", 0, 65535));
  }

  void add_value(const toml::node& node, std::uint16_t label) {
    const std::uint32_t value = mask_value(node);
    const auto [old, added] = dataset_.encoding.to_class.emplace(value, label);
    if (added) return;
    const std::string holder =
        old->second == kIgnoreLabel ? "ignore" : "class " + dataset_.classes[old->second].name;
    fail(node, fmt::format("value {} is already in {}",
                           label_value_text(value, dataset_.encoding.kind), holder));
  }

  void read_classes(const toml::table& file) {
    const toml::node* node = file.get("classes");
    if (node == nullptr || !node->is_array() || node->as_array()->empty()) {
      throw Error::in_file(path_.string(),
                           "has no classes; expected a [[classes]] part with name and values for "
                           "each class");
    }
    for (const toml::node& entry : *node->as_array()) read_class(table(entry, "a class"));
    const std::size_t count = dataset_.classes.size();
    if (count >= kIgnoreLabel) fail(*node, "there are more classes than 65534");
    if (dataset_.encoding.threshold && count != 2) {
      fail(*node, fmt::format("there are {} classes; a threshold makes exactly two, below it and "
                              "from it up",
                              count));
    }
    const Palette standard = Palette::voc(static_cast<int>(count));
    for (std::size_t k = 0; k < count; ++k) {
      if (!coloured_[k]) dataset_.classes[k].colour = standard.colours[k];
    }
  }

  void read_class(const toml::table& entry) {
    known_keys(entry, {"name", "colour", "color", "values"});
    const toml::node* name = entry.get("name");
    if (name == nullptr) fail(entry, "this class has no name");
    const toml::node* values = entry.get("values");
    if (values == nullptr || !values->is_array() || values->as_array()->empty()) {
      fail(entry, "this class has no values; expected the list of mask values that mean it");
    }
    ClassInfo info{.name = text(*name, "name"), .colour = {}};
    if (!names_.insert(info.name).second) {
      fail(*name, fmt::format("there are two classes \"{}\"; to merge them, write their values in "
                              "one list",
                              info.name));
    }
    const toml::node* drawn = entry.contains("colour") ? entry.get("colour") : entry.get("color");
    if (drawn != nullptr) info.colour = colour(*drawn);
    coloured_.push_back(drawn != nullptr);
    const auto label = static_cast<std::uint16_t>(dataset_.classes.size());
    dataset_.classes.push_back(std::move(info));
    for (const toml::node& value : *values->as_array()) add_value(value, label);
  }

  void read_ignore(const toml::table& file) {
    LabelEncoding& encoding = dataset_.encoding;
    const toml::node* node = file["masks"]["ignore"].node();
    if (node == nullptr || array(*node, "ignore").empty()) {
      encoding.ignore_value = unused_value(encoding);
      return;
    }
    if (encoding.threshold)
      fail(*node, "a threshold gives every value a class; ignore must be empty");
    for (const toml::node& value : *node->as_array()) add_value(value, kIgnoreLabel);
    encoding.ignore_value = mask_value(*node->as_array()->get(0));
  }

  void read_splits(const toml::table& file) {
    const toml::node* node = file.get("splits");
    if (node == nullptr) {
      throw Error::in_file(path_.string(), "has no [splits]; expected at least train");
    }
    for (const auto& [name, entry] : table(*node, "splits")) {
      std::vector<Sample> samples =
          entry.is_string() ? listed_samples(entry) : inline_samples(array(entry, "a split"));
      try {
        name_samples(samples);
      } catch (const Error& error) {
        fail(entry, error.what());
      }
      dataset_.splits.emplace(name.str(), std::move(samples));
    }
  }

  std::vector<Sample> listed_samples(const toml::node& entry) const {
    const auto list = dataset_.root / text(entry, "a list file");
    if (!std::filesystem::is_regular_file(list)) {
      fail(entry, fmt::format("there is no list file {}", list.string()));
    }
    return samples_of_list(parse_list(read_file(list)), patterns_);
  }

  // A text is what a line of a list is; a list in brackets is always paths.
  Sample inline_sample(const toml::node& entry) const {
    if (entry.is_string()) {
      return samples_of_list({{.number = 0, .fields = {text(entry, "a sample")}}}, patterns_)
          .front();
    }
    const toml::array* paths = entry.as_array();
    if (paths == nullptr || paths->empty() || paths->size() > 3) {
      fail(entry,
           "a sample is expected to be a name, [\"image\", \"mask\"] or [\"image\", \"mask\", "
           "\"instances\"]");
    }
    Sample sample{.image = text(*paths->get(0), "a path")};
    if (paths->size() >= 2) sample.mask = text(*paths->get(1), "a path");
    if (paths->size() == 3) sample.instances = text(*paths->get(2), "a path");
    return sample;
  }

  std::vector<Sample> inline_samples(const toml::array& entries) const {
    std::vector<Sample> samples;
    for (const toml::node& entry : entries) samples.push_back(inline_sample(entry));
    return samples;
  }

  std::filesystem::path path_;
  Dataset dataset_;
  PathPatterns patterns_;
  std::set<std::string> names_;
  std::vector<bool> coloured_;
};

}  // namespace

std::filesystem::path description_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return path;
  const auto file = path / "dataset.toml";
  return std::filesystem::exists(file) ? file : std::filesystem::path();
}

Dataset read_dataset_file(const std::filesystem::path& path) {
  return Reader(path).read();
}

}  // namespace segmentum
