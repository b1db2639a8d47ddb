#include "data/label_scheme.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/counted.h"
#include "data/label_values.h"

namespace segmentum {
namespace {

using Kind = LabelEncoding::Kind;

constexpr std::size_t kMostColoursWithoutLegend = 64;
constexpr std::size_t kMostUnknownValues = 256;
constexpr std::uint32_t kSoftThreshold = 128;

constexpr std::array<const char*, 21> kVocNames = {
    "background", "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",
    "car",        "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",
    "motorbike",  "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"};

std::string percent(double share) {
  return share < 0.0005 ? "less than 0.1 %" : fmt::format("{:.1f} %", 100 * share);
}

// The scheme under construction, with the survey that it is for.
class Decision {
 public:
  Decision(const MaskSurvey& survey, const Legend& legend, const std::vector<std::string>& names)
      : survey_(survey), legend_(legend), annotated_names_(names) {
    for (const auto& [value, count] : survey.pixels) {
      if (value != kNoMaskValue) seen_.insert(value);
    }
    scheme_.encoding.kind = survey.kind;
  }

  LabelScheme decide() {
    if (survey_.masks == 0) {
      obstacle(survey_.errors.empty() ? "there are no masks"
                                      : "no mask can be read: " + survey_.errors.front());
      return std::move(scheme_);
    }
    describe_files();
    if (survey_.kind == Kind::colour) {
      decide_colours();
    } else {
      decide_values();
    }
    finish();
    return std::move(scheme_);
  }

 private:
  void note(std::string text) { scheme_.notes.push_back(std::move(text)); }
  void question(std::string text) { scheme_.questions.push_back(std::move(text)); }
  void obstacle(std::string text) { scheme_.obstacles.push_back(std::move(text)); }

  void describe_files() {
    std::string form = "grey values";
    if (survey_.kind == Kind::colour) {
      form = "colours";
    } else if (survey_.palette_masks == survey_.masks) {
      form = "palette indices (their colours are only for show)";
    } else if (survey_.wide_masks > 0) {
      form = "16-bit values";
    }
    note(fmt::format("masks: {} (of {} that were read)", form, survey_.masks));
    for (const std::string& error : survey_.errors) note("cannot be read: " + error);
  }

  void add_class(std::string name, Rgb colour, const std::vector<std::uint32_t>& values) {
    const auto label = static_cast<std::uint16_t>(scheme_.classes.size());
    scheme_.classes.push_back({std::move(name), colour});
    for (const std::uint32_t value : values) scheme_.encoding.to_class[value] = label;
  }

  void ignore(std::uint32_t value) {
    if (!has_ignore_) scheme_.encoding.ignore_value = value;
    has_ignore_ = true;
    scheme_.encoding.to_class[value] = kIgnoreLabel;
  }

  // The colour of the k-th class, that of a value where all masks have palettes.
  Rgb colour_for(std::size_t k, std::uint32_t value) const {
    if (survey_.palette_masks == survey_.masks && value < survey_.palette.size()) {
      return survey_.palette[value];
    }
    return Palette::voc(static_cast<int>(k) + 1).colours[k];
  }

  // Two classes; the legend names them if it has two.
  void add_background_and_foreground(std::uint32_t background, std::uint32_t foreground) {
    std::vector<const LegendEntry*> named;
    for (const LegendEntry& entry : legend_.entries) {
      if (!entry.ignore) named.push_back(&entry);
    }
    const bool use = named.size() == 2;
    add_class(use ? named[0]->name : "background",
              use && named[0]->colour ? *named[0]->colour : Rgb{0, 0, 0}, {background});
    add_class(use ? named[1]->name : "foreground",
              use && named[1]->colour ? *named[1]->colour : Rgb{128, 0, 0}, {foreground});
  }

  // ---- colours ----------------------------------------------------------------------------------

  void decide_colours() {
    if (legend_.has_colours()) {
      note(fmt::format("{} says which colour is which class", legend_.file.string()));
      for (const LegendEntry& entry : legend_.entries) {
        if (entry.ignore) {
          note(fmt::format("\"{}\" is ignored", entry.name));
          ignore(packed(*entry.colour));
        } else {
          add_class(entry.name, *entry.colour, {packed(*entry.colour)});
        }
      }
      ignore_unknown();
      return;
    }
    leave_out_blends();
    if (seen_.size() > kMostColoursWithoutLegend || survey_.too_many_values) {
      obstacle(fmt::format(
          "the masks hold {} colours, too many to be classes{}; masks need a flat colour for each "
          "class, saved as PNG, and a classes.csv (name,r,g,b)",
          seen_.size(), survey_.jpeg_masks > 0 ? " (they are JPEG, which blurs them)" : ""));
      return;
    }
    for (const std::uint32_t colour : seen_) {
      add_class(fmt::format("colour_{:06x}", colour), unpacked(colour), {colour});
    }
    question(
        fmt::format("the masks hold {} colours without a legend: name the classes, move "
                    "colours that mean nothing to `ignore`",
                    seen_.size()));
  }

  // Colours that soft edges make: rare ones, most of whose pixels lie in edges. JPEG makes others.
  void leave_out_blends() {
    if (survey_.jpeg_masks > 0) return;
    constexpr double kRare = 0.02;
    constexpr std::size_t kFew = 4;  // of which some may be thin things between two others
    double share = 0;
    const auto is_blend = [&](std::uint32_t colour) {
      const auto blended = survey_.blended.find(colour);
      if (blended == survey_.blended.end()) return false;
      return 2 * blended->second >= survey_.pixels.at(colour) && survey_.share(colour) < kRare;
    };
    std::set<std::uint32_t> flat;
    for (const std::uint32_t colour : seen_) {
      if (is_blend(colour)) {
        share += survey_.share(colour);
      } else {
        flat.insert(colour);
      }
    }
    if (seen_.size() - flat.size() < kFew || flat.size() < 2) return;
    question(
        fmt::format("{} lie between two others, along borders only ({} of the pixels), as in "
                    "masks with soft edges; they are no classes: export the masks without "
                    "anti-aliasing",
                    counted(seen_.size() - flat.size(), "colour"), percent(share)));
    seen_ = std::move(flat);
  }

  void ignore_unknown() {
    std::vector<std::string> texts;
    double share = 0;
    std::size_t unknown = 0;
    for (const std::uint32_t value : seen_) {
      if (scheme_.encoding.to_class.contains(value)) continue;
      ++unknown;
      share += survey_.share(value);
      if (unknown <= kMostUnknownValues) ignore(value);
      if (unknown <= 8) texts.push_back(label_value_text(value, survey_.kind));
    }
    if (unknown == 0) return;
    const std::string what = survey_.kind == Kind::value ? "values" : "colours";
    if (unknown > kMostUnknownValues) {
      obstacle(
          fmt::format("the masks hold {} {} that {} does not name, such as {}; masks need a "
                      "flat value for each class",
                      unknown, what, legend_.file.string(), fmt::join(texts, ", ")));
      return;
    }
    question(
        fmt::format("{} {} occur in the masks ({} of the pixels) but not in {}; they stand in "
                    "`ignore`: is that right?",
                    what, fmt::join(texts, ", "), percent(share), legend_.file.string()));
  }

  // ---- values -----------------------------------------------------------------------------------

  void decide_values() {
    if (seen_.empty()) {
      obstacle("the masks hold no whole numbers");
    } else if (seen_ == std::set<std::uint32_t>{0, 255}) {
      add_background_and_foreground(0, 255);
      note("the masks hold 0 and 255 only: two classes, nothing is ignored");
    } else if (is_soft()) {
      scheme_.encoding.threshold = static_cast<int>(kSoftThreshold);
      add_background_and_foreground(0, 255);
      note(
          fmt::format("the masks are soft ({} grey values, most pixels near 0 or 255): from {} up "
                      "is the second class",
                      seen_.size(), kSoftThreshold));
    } else if (legend_.empty() && counts_objects()) {
      scheme_.encoding.threshold = 1;
      add_background_and_foreground(0, 1);
      note("the masks seem to number the objects of each picture: all of them are one class");
      question(
          fmt::format("values 0..{} seem to be object numbers, so from 1 up is the second "
                      "class; if they are classes, delete `threshold` and write a [[classes]] "
                      "for each",
                      *seen_.rbegin()));
    } else {
      decide_class_values();
    }
  }

  bool is_soft() const {
    if (*seen_.rbegin() > 255 || legend_.entries.size() > 3) return false;
    double near_black = 0, near_white = 0;
    int dark = 0, bright = 0;  // greys between, which class numbers do not fill
    for (const std::uint32_t value : seen_) {
      if (value < 32) near_black += survey_.share(value);
      if (value > 223) near_white += survey_.share(value);
      dark += value >= 32 && value < 128;
      bright += value >= 128 && value <= 223;
    }
    return dark >= 4 && bright >= 4 && near_white > 0 && near_black + near_white >= 0.9;
  }

  // Every mask holds exactly 0..n, with many different n.
  bool counts_objects() const {
    int masks = 0;
    for (const auto& [n, count] : survey_.counted_to) masks += count;
    return masks == survey_.masks && survey_.counted_to.size() >= 3 &&
           survey_.counted_to.rbegin()->first >= 8;
  }

  // 255, or 65535 in wide files, where the other values are small or many.
  std::optional<std::uint32_t> usual_ignore_value() const {
    const std::uint32_t value = *seen_.rbegin();
    if (seen_.size() < 3 || (value != 255 && !(value == 65535 && survey_.wide_masks > 0))) {
      return std::nullopt;
    }
    for (const LegendEntry& entry : legend_.entries) {
      if (entry.value == value) return std::nullopt;
    }
    const std::uint32_t next = *std::prev(seen_.end(), 2);
    return next < value / 2 || seen_.size() > 20 ? std::optional(value) : std::nullopt;
  }

  void decide_class_values() {
    if (const auto value = usual_ignore_value()) {
      ignore(*value);
      seen_.erase(*value);
      note(fmt::format("value {} beside small ones is ignored", *value));
    }
    if (!legend_.empty()) {
      classes_of_legend();
    } else if (uses_voc_names()) {
      note("the annotations use VOC's names: its 21 classes");
      for (std::uint32_t k = 0; k < kVocNames.size(); ++k) {
        add_class(kVocNames[k], colour_for(k, k), {k});
      }
    } else if (seen_.size() == 2 && seen_.contains(0)) {
      add_background_and_foreground(0, *seen_.rbegin());
      note(fmt::format("the masks hold 0 and {}: two classes", *seen_.rbegin()));
    } else {
      a_class_for_each_value();
    }
  }

  bool uses_voc_names() const {
    const auto is_voc = [](const std::string& name) {
      return std::ranges::find(kVocNames, name) != kVocNames.end();
    };
    return !annotated_names_.empty() && *seen_.rbegin() < kVocNames.size() &&
           std::ranges::all_of(annotated_names_, is_voc);
  }

  void classes_of_legend() {
    // A list of n names beside the values 0..n leaves out the background.
    const bool numbered = legend_.entries.front().numbered;
    const bool shifted = !numbered && *seen_.rbegin() == legend_.entries.size() &&
                         !is_background_name(legend_.entries.front().name);
    if (shifted) add_class("background", {0, 0, 0}, {0});
    std::vector<std::string> ignored;
    for (const LegendEntry& entry : legend_.entries) {
      const std::uint32_t value = entry.value + (shifted ? 1 : 0);
      if (entry.ignore) {
        ignored.push_back(fmt::format("\"{}\" ({})", entry.name, value));
        ignore(value);
      } else {
        const Rgb colour = entry.colour ? *entry.colour : colour_for(scheme_.classes.size(), value);
        add_class(entry.name, colour, {value});
      }
    }
    if (!ignored.empty()) {
      note(fmt::format("{} {} ignored", fmt::join(ignored, ", "),
                       ignored.size() == 1 ? "is" : "are"));
    }
    note(fmt::format("{} names {}{}", legend_.file.string(),
                     counted(scheme_.classes.size(), "class"),
                     shifted ? ", background added for 0" : ""));
    ignore_unknown();
  }

  void a_class_for_each_value() {
    const std::uint32_t greatest = *seen_.rbegin();
    if (greatest < 256 && 2 * seen_.size() > greatest) {  // nearly dense: rare ones may be unseen
      for (std::uint32_t value = 0; value < greatest; ++value) seen_.insert(value);
    }
    if (seen_.size() > kMostUnknownValues) {
      obstacle(
          fmt::format("the masks hold {} different values up to {}, too many to be classes; "
                      "are these pictures, depths or object numbers?",
                      seen_.size(), greatest));
      return;
    }
    for (const std::uint32_t value : seen_) {
      add_class(fmt::format("class_{}", value), colour_for(scheme_.classes.size(), value), {value});
    }
    question(annotated_names_.empty()
                 ? fmt::format("what are the names of the {} classes?", seen_.size())
                 : fmt::format("what are the names of the {} classes? Annotations name: {}",
                               seen_.size(), fmt::join(annotated_names_, ", ")));
  }

  // ---- both -------------------------------------------------------------------------------------

  void finish() {
    if (scheme_.obstacles.empty() && scheme_.classes.size() < 2) {
      obstacle(fmt::format("the masks hold {}; at least two classes are needed to learn anything",
                           scheme_.classes.empty() ? "no class" : "only one class"));
    }
    if (!has_ignore_) scheme_.encoding.ignore_value = unused_value(scheme_.encoding);
  }

  const MaskSurvey& survey_;
  const Legend& legend_;
  const std::vector<std::string>& annotated_names_;
  std::set<std::uint32_t> seen_;
  bool has_ignore_ = false;
  LabelScheme scheme_;
};

}  // namespace

LabelScheme decide_labels(const MaskSurvey& survey, const Legend& legend,
                          const std::vector<std::string>& annotated_names) {
  return Decision(survey, legend, annotated_names).decide();
}

}  // namespace segmentum
