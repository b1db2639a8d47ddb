// The rules by which a training is configured where nobody says how: each a function of what the
// data are like and of what there is time for, that gives a value and the reason. docs/training.md
// lists them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "configure/data_profile.h"

namespace segmentum {

/// A value, and in a few words why it is this one.
template <typename Value>
struct Reasoned {
  Value value;
  std::string why;
};

/// A setting of a training as behind --set, and why.
struct Choice {
  std::string key;
  std::string value;
  std::string why;
};

/// A multiple of 32, 160 to 256: twice a typical object, and no more than the picture.
Reasoned<int> crop_side(const DataProfile& profile);

/// hypercolumn, all of whose levels learn from the first step, where there are more than two
/// classes, typical objects are as large as three pixels of its lowest level (96), labels are not
/// fine (every fourth pixel keeps 85 % of their mean IoU) and crops have room for five poolings;
/// else unet.
Reasoned<std::string> architecture(const DataProfile& profile, int crop);

/// How much of the picture a U-Net sees.
struct DepthReach {
  int depth = 0;
  std::int64_t receptive_field_px = 0;
};

/// The least depth from 3 on whose receptive field holds a typical object twice, as long as a crop
/// is at least 8 pixels wide at the lowest level. `reaches`: by rising depth, from 1.
Reasoned<int> unet_depth(const DataProfile& profile, int crop, std::span<const DepthReach> reaches);

/// What training a network costs on this machine.
struct Pace {
  int width = 0;
  double crop_seconds = 0;    // forward and backward, one crop
  double update_seconds = 0;  // of the weights, once a step
};

/// Crops that so much time is enough for, when steps have `batch` crops and a tenth of the time is
/// for validation.
std::int64_t crops_within(double seconds, const Pace& pace, int batch);

/// Whether a network sees as many crops in this time that a narrower one would not learn more.
bool sees_enough(double seconds, const Pace& pace);

/// The widest of `paces` (rising) that sees enough; else the narrowest.
Reasoned<int> network_width(std::span<const Pace> paces, double seconds);

/// `crop`, or as much less of it as lets the training see enough crops, but 160 at least. `crops`:
/// how many of `crop` there is time for.
Reasoned<int> crop_in_time(const Reasoned<int>& crop, std::int64_t crops);

/// 4 crops a step, 8 where there are thousands of steps all the same.
Reasoned<int> batch_size(std::int64_t crops);

/// How often the training shows each pixel of the data.
double passes(const DataProfile& profile, std::int64_t crops, int crop);

/// augment.*: what of scale, mirroring, turning, colours the data allow, as strong as there is time
/// to learn it.
std::vector<Choice> augmentation(const DataProfile& profile, double passes);

/// loss, class_weights, augment.class_crop by the classes' shares.
std::vector<Choice> loss_of_shares(const DataProfile& profile);

/// cache_mb where decoded pictures take more than the default and the machine has it.
std::vector<Choice> picture_cache(const DataProfile& profile, std::size_t available_bytes,
                                  int default_mb);

}  // namespace segmentum
