#include "configure/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <initializer_list>
#include <string_view>

#include "base/counted.h"
#include "data/rare_classes.h"

namespace segmentum {
namespace {

constexpr int kCropUnit = 32;
constexpr int kLeastCrop = 160;
constexpr int kMostCrop = 256;
constexpr double kObjectsAcross = 2;  // an object and as much around it
constexpr double kCoarseEnough = 0.85;
constexpr double kLargeObject = 96;  // three pixels of the lowest of five levels
constexpr int kLeastHypercolumnCrop = 128;
constexpr int kLeastDepth = 3;
constexpr int kLeastLowestSide = 8;  // of a crop at the lowest level
constexpr std::int64_t kCropsToLearn = 6000;
constexpr std::int64_t kStepsToLearn = 6000;
constexpr int kUsualBatch = 4;  // of fewer, batch norms learn too little where pictures differ
constexpr int kMostBatch = 8;
constexpr double kTrainingShare = 0.9;  // of the time; the rest is validation

constexpr double kFewPasses = 10;   // the network is still learning what does not vary
constexpr double kManyPasses = 30;  // it begins to know the pictures by heart

int up_to_unit(double pixels) {
  return static_cast<int>(std::ceil(pixels / kCropUnit)) * kCropUnit;
}

/// Two digits, or all before the point.
std::string number(double value) {
  return value < 10 ? fmt::format("{:.2g}", value) : fmt::format("{:.0f}", value);
}

std::string percent(double share) {
  return number(100 * share) + " %";
}

/// Whether a class is called by one of these words: "left lung", "eye_right".
bool is_named(const DataProfile& profile, std::initializer_list<std::string_view> words) {
  for (const std::string& name : profile.classes) {
    std::string word;
    for (std::size_t i = 0; i <= name.size(); ++i) {
      const auto letter = i < name.size() ? static_cast<unsigned char>(name[i]) : ' ';
      if (std::isalpha(letter)) {
        word += static_cast<char>(std::tolower(letter));
      } else {
        if (std::ranges::find(words, word) != words.end()) return true;
        word.clear();
      }
    }
  }
  return false;
}

/// What is known of up and down, for the person.
std::string up_text(const DataProfile& profile) {
  const Orientation& orientation = profile.orientation;
  if (!orientation.is_known()) {
    return fmt::format("{} are too few to tell that there is no up",
                       counted(orientation.pictures, "picture"));
  }
  if (orientation.labels.exceeds(0) && orientation.has_up() && orientation.labels_class >= 0) {
    const auto k = static_cast<std::size_t>(orientation.labels_class);
    return fmt::format("pictures have an up: {} lies {}", profile.classes[k],
                       orientation.labels.mean > 0 ? "above" : "below");
  }
  return "pictures have an up: they are lighter " +
         std::string(orientation.light.mean > 0 ? "above" : "below");
}

bool may_turn_over(const DataProfile& profile) {
  return profile.orientation.is_known() && !profile.orientation.has_up() &&
         !is_named(profile, {"top", "bottom", "upper", "lower"});
}

std::vector<Choice> mirroring_and_turning(const DataProfile& profile, double passes) {
  std::vector<Choice> choices;
  const bool sides = is_named(profile, {"left", "right"});
  choices.push_back({"augment.flip_horizontal", sides ? "0" : "0.5",
                     sides ? "classes are named left or right" : "left and right mean the same"});
  if (!may_turn_over(profile)) {
    const bool named = profile.orientation.is_known() && !profile.orientation.has_up();
    const std::string why = named ? "classes are named for above or below" : up_text(profile);
    choices.push_back({"augment.flip_vertical", "0", why});
    return choices;
  }
  choices.push_back(
      {"augment.flip_vertical", "0.5", "labels and light are the same above as below"});
  if (profile.orientation.has_axis() || sides) {
    choices.push_back({"augment.rotation_degrees", "0",
                       sides ? "classes are named left or right" : "borders run one way"});
  } else if (passes < kFewPasses) {
    choices.push_back(
        {"augment.rotation_degrees", "0", "mirrored both ways is enough for so few passes"});
  } else {
    choices.push_back({"augment.rotation_degrees", "90", "borders run all ways alike"});
  }
  return choices;
}

std::vector<Choice> enlargement(const DataProfile& profile, double passes) {
  const double wide =
      std::max(profile.object_spread * profile.object_spread, passes < kManyPasses ? 1.25 : 1.4);
  const double least = std::clamp(1 / wide, 0.5, 0.8), most = std::clamp(wide, 1.25, 1.5);
  std::string why = fmt::format("objects differ by a factor of {} from picture to picture",
                                number(profile.object_spread));
  if (passes >= kManyPasses) why += fmt::format("; each pixel is shown {} times", number(passes));
  return {{"augment.scale_min", fmt::format("{:.2g}", least), why},
          {"augment.scale_max", fmt::format("{:.3g}", most), ""}};
}

std::vector<Choice> colours(const DataProfile& profile) {
  const double spread = std::clamp(profile.brightness_spread, 0.1, 0.3);
  const std::string value = fmt::format("{:.2g}", spread);
  std::vector<Choice> choices{
      {"augment.brightness", value,
       fmt::format("pictures differ by {} in brightness", percent(profile.brightness_spread))},
      {"augment.contrast", value, ""}};
  if (profile.coloured) choices.push_back({"augment.saturation", value, "pictures have colours"});
  return choices;
}

void append(std::vector<Choice>& choices, const std::vector<Choice>& more) {
  choices.insert(choices.end(), more.begin(), more.end());
}

/// The rarest class that occurs; -1: none does.
int rarest_class(const DataProfile& profile) {
  int rarest = -1;
  for (int k = 0; k < static_cast<int>(profile.class_shares.size()); ++k) {
    const double share = profile.class_shares[static_cast<std::size_t>(k)];
    if (share == 0) continue;
    if (rarest < 0 || share < profile.class_shares[static_cast<std::size_t>(rarest)]) rarest = k;
  }
  return rarest;
}

}  // namespace

Reasoned<int> crop_side(const DataProfile& profile) {
  const int picture = up_to_unit(std::min(profile.height, profile.width));
  const int objects = up_to_unit(kObjectsAcross * profile.object_px);
  const int wanted = std::clamp(objects, kLeastCrop, kMostCrop);
  if (picture <= wanted) {
    return {picture, fmt::format("pictures are {}x{}", profile.width, profile.height)};
  }
  const std::string object =
      fmt::format("a typical object is {:.0f} pixels across", profile.object_px);
  if (objects > kMostCrop) return {wanted, object + ", and many small crops teach more"};
  if (objects < kLeastCrop) return {wanted, object + "; context costs little"};
  return {wanted, object + ": it and as much around it"};
}

Reasoned<std::string> architecture(const DataProfile& profile, int crop) {
  const std::string object =
      fmt::format("a typical object is {:.0f} pixels across", profile.object_px);
  if (crop < kLeastHypercolumnCrop) {
    return {"unet", fmt::format("crops of {} pixels are too small for five poolings", crop)};
  }
  if (profile.class_count() == 2) return {"unet", "two classes are told apart by little"};
  if (profile.object_px < kLargeObject) {
    return {"unet", object + ": its pixels tell more than depth"};
  }
  if (profile.kept_at_4 < kCoarseEnough) {
    return {"unet",
            fmt::format("labels are fine: every fourth pixel keeps {:.0f} % mean IoU of them",
                        100 * profile.kept_at_4)};
  }
  return {"hypercolumn", object + ": deep layers tell more of it, and cost less"};
}

Reasoned<int> unet_depth(const DataProfile& profile, int crop,
                         std::span<const DepthReach> reaches) {
  const double wanted = kObjectsAcross * profile.object_px;
  Reasoned<int> chosen{1, ""};
  for (const DepthReach& reach : reaches) {
    if (reach.depth > 1 && crop >> reach.depth < kLeastLowestSide) {
      return {chosen.value,
              fmt::format("a crop is {} pixels wide at the lowest level", crop >> chosen.value)};
    }
    chosen = {reach.depth,
              fmt::format("sees {} pixels: a typical object of {:.0f} and its surroundings",
                          reach.receptive_field_px, profile.object_px)};
    const bool sees_all = static_cast<double>(reach.receptive_field_px) >= wanted;
    if (sees_all && reach.depth >= kLeastDepth) break;
  }
  return chosen;
}

std::int64_t crops_within(double seconds, const Pace& pace, int batch) {
  const double each = pace.crop_seconds + pace.update_seconds / batch;
  return static_cast<std::int64_t>(kTrainingShare * seconds / std::max(each, 1e-9));
}

bool sees_enough(double seconds, const Pace& pace) {
  return crops_within(seconds, pace, kUsualBatch) >= kCropsToLearn;
}

Reasoned<int> network_width(std::span<const Pace> paces, double seconds) {
  const auto crops = [&](const Pace& pace) { return crops_within(seconds, pace, kUsualBatch); };
  std::size_t best = 0;
  for (std::size_t i = 1; i < paces.size(); ++i) {
    if (sees_enough(seconds, paces[i])) best = i;
  }
  const std::int64_t seen = crops(paces[best]);
  const std::string time = fmt::format("{} crops in {:g} min here", seen, seconds / 60);
  if (seen < kCropsToLearn) return {paces[best].width, time + ": the fastest network"};
  if (best + 1 == paces.size()) return {paces[best].width, time};
  return {paces[best].width, fmt::format("{}; width {} would see only {}", time,
                                         paces[best + 1].width, crops(paces[best + 1]))};
}

Reasoned<int> crop_in_time(const Reasoned<int>& crop, std::int64_t crops) {
  if (crops >= kCropsToLearn || crop.value <= kLeastCrop) return crop;
  const double share = static_cast<double>(crops) / static_cast<double>(kCropsToLearn);
  const int units = static_cast<int>(crop.value * std::sqrt(share)) / kCropUnit;
  const int side = std::max(kLeastCrop, units * kCropUnit);
  return {side, fmt::format("the time is short, and {} crops of {} pixels would be few", crops,
                            crop.value)};
}

Reasoned<int> batch_size(std::int64_t crops) {
  const int batch = crops / kMostBatch >= kStepsToLearn ? kMostBatch : kUsualBatch;
  return {batch, counted(crops / batch, "step")};
}

double passes(const DataProfile& profile, std::int64_t crops, int crop) {
  const double all = static_cast<double>(profile.pictures) * profile.picture_pixels;
  return static_cast<double>(crops) * crop * crop / std::max(1.0, all);
}

std::vector<Choice> augmentation(const DataProfile& profile, double passes) {
  std::vector<Choice> choices = enlargement(profile, passes);
  append(choices, mirroring_and_turning(profile, passes));
  append(choices, colours(profile));
  return choices;
}

std::vector<Choice> loss_of_shares(const DataProfile& profile) {
  constexpr double kRareOfTwo = 0.3;
  if (profile.class_count() > 2) {
    const std::string alike =
        "mean IoU counts " + counted(profile.class_count(), "class") + " alike";
    return {{"loss", "cross_entropy+lovasz", alike + ", and so does Lovasz's loss"},
            {"class_weights", "none", "with them rare classes would be seen everywhere"},
            {"augment.class_crop", fmt::format("{}", crops_around_classes(profile.class_count())),
             "so many crops are laid around a class drawn at random: all are seen"}};
  }
  const int rarest = rarest_class(profile);
  if (rarest < 0) return {};
  const auto k = static_cast<std::size_t>(rarest);
  const double share = profile.class_shares[k];
  const std::string rare =
      fmt::format("{} is {} of the pixels", profile.classes[k], percent(share));
  std::vector<Choice> choices;
  choices.push_back(share < kRareOfTwo
                        ? Choice{"loss", "cross_entropy+dice", rare + "; Dice counts both alike"}
                        : Choice{"loss", "cross_entropy", rare});
  choices.push_back(share < kSeldomShare
                        ? Choice{"augment.class_crop", fmt::format("{}", crops_around_classes(2)),
                                 "half of the crops are laid around a class drawn at random"}
                        : Choice{"augment.class_crop", "0", "crops at random places show both"});
  return choices;
}

std::vector<Choice> picture_cache(const DataProfile& profile, std::size_t available_bytes,
                                  int default_mb) {
  constexpr double kMegabyte = 1e6;
  constexpr int kLabelBytes = 2;
  const double decoded = static_cast<double>(profile.pictures) * profile.picture_pixels *
                         (profile.channels + kLabelBytes) / kMegabyte;
  const double most = static_cast<double>(available_bytes) / 2 / kMegabyte;
  const int chosen = static_cast<int>(std::ceil(std::min(decoded, most)));
  if (chosen <= default_mb) return {};
  return {{"cache_mb", fmt::format("{}", chosen),
           fmt::format("all pictures decoded take {:.0f} MB", decoded)}};
}

}  // namespace segmentum
