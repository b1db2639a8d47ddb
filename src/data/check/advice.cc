#include "data/check/advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "data/check/check.h"
#include "data/rare_classes.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

struct RareClass {
  std::string name;
  double share;          // of the labelled pixels
  double picture_share;  // of the pictures
};

double part(double some, double all) {
  return all > 0 ? some / all : 0;
}

std::string percent(double share) {
  return fmt::format("{:.2g} %", 100 * share);
}

/// The rare classes that occur, the rarest first.
std::vector<RareClass> rare_classes(std::span<const ClassInfo> classes,
                                    std::span<const std::int64_t> class_pixels,
                                    std::span<const int> class_pictures, int pictures) {
  const auto count = static_cast<double>(classes.size());
  const double bound = classes.size() == 2 ? 0.2 : 0.1 / count;
  const auto labelled = static_cast<double>(
      std::accumulate(class_pixels.begin(), class_pixels.end(), std::int64_t{0}));
  std::vector<RareClass> rare;
  for (std::size_t k = 0; k < classes.size(); ++k) {
    const double share = part(static_cast<double>(class_pixels[k]), labelled);
    if (share == 0 || share >= bound) continue;
    rare.push_back({classes[k].name, share, part(class_pictures[k], pictures)});
  }
  std::ranges::sort(rare, {}, &RareClass::share);
  return rare;
}

std::string named(const std::vector<RareClass>& rare) {
  constexpr std::size_t kNamed = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(kNamed, rare.size()); ++i) {
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", rare[i].name, percent(rare[i].share));
  }
  if (rare.size() > kNamed) text += fmt::format(" and {} more", rare.size() - kNamed);
  return text;
}

Advice crop_advice(const RareClass& rarest, int classes) {
  return {fmt::format("augment.class_crop={}", crops_around_classes(classes)),
          fmt::format("{} is {} of the pixels and in {} of the pictures: a crop at a random place "
                      "seldom shows it; so many of the crops are then laid around a class drawn at "
                      "random; train chooses it by itself",
                      rarest.name, percent(rarest.share), percent(rarest.picture_share))};
}

}  // namespace

std::vector<Advice> imbalance_advice(std::span<const ClassInfo> classes,
                                     std::span<const std::int64_t> class_pixels,
                                     std::span<const int> class_pictures, int pictures) {
  if (class_pixels.size() != classes.size() || class_pictures.size() != classes.size()) {
    throw Error(fmt::format("advice for {} classes from pixels of {} and pictures of {}",
                            classes.size(), class_pixels.size(), class_pictures.size()));
  }
  const std::vector<RareClass> rare = rare_classes(classes, class_pixels, class_pictures, pictures);
  if (rare.empty()) return {};
  const RareClass& rarest = rare.front();
  std::vector<Advice> advice;
  if (classes.size() == 2) {
    advice.push_back(
        {"loss=cross_entropy+dice",
         fmt::format(
             "{} is {} of the pixels: cross entropy alone is nearly content with a network "
             "that never says so; Dice counts both classes alike, however few their pixels; "
             "train chooses it by itself",
             rarest.name, percent(rarest.share))});
    if (rarest.share < kSeldomShare) {
      advice.push_back({"loss=cross_entropy+tversky",
                        "instead of Dice where missing it is worse than inventing it: "
                        "tversky_beta=0.7 is the price of a missed pixel, tversky_alpha=0.3 that "
                        "of an invented one"});
    }
  } else {
    advice.push_back(
        {"loss=cross_entropy+lovasz",
         fmt::format("mean IoU counts {} classes alike, but these are rare: {}; Lovasz-softmax "
                     "lowers what each class loses of its IoU; train chooses it by itself",
                     classes.size(), named(rare))});
    advice.push_back(
        {"loss=cross_entropy class_weights=effective_number class_weight_cap=10",
         fmt::format("in place of Lovasz-softmax, not beside it: with both, rare classes would be "
                     "seen everywhere; {} weighs up to 10, classes on average 1",
                     rarest.name)});
  }
  if (rarest.share < kSeldomShare) {
    advice.push_back(crop_advice(rarest, static_cast<int>(classes.size())));
  }
  return advice;
}

std::vector<Advice> imbalance_advice(const CheckResult& result) {
  if (result.splits.empty()) return {};
  const auto training = std::ranges::find(result.splits, "train", &SplitStatistics::name);
  const SplitStatistics& split =
      training == result.splits.end() ? result.splits.front() : *training;
  return imbalance_advice(result.checkup.dataset.classes, split.class_pixels, split.class_pictures,
                          split.counted);
}

}  // namespace segmentum
