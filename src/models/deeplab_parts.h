// What the networks of the DeepLab family share.
#pragma once

#include <string>
#include <vector>

#include "models/deeplab.h"

namespace segmentum {

struct Magnification {
  int times = 1;
  int divisor = 1;
};

/// The way of a picture into a network of strides and back.
class FittedPicture {
 public:
  /// Adds the input "image" and the padding to multiples of `multiple` (plus 1 with align_corners).
  FittedPicture(GraphBuilder& g, const DeeplabOptions& options, int multiple);

  ValueId image() const { return image_; }
  ValueId padded() const { return padded_; }
  /// `x` at the size of `like`, which is `scale` times its own: bilinear.
  ValueId magnified(const std::string& name, ValueId x, ValueId like, Magnification scale) const;
  /// The same for a whole factor, by the options' `up`.
  ValueId upsampled(const std::string& name, ValueId x, ValueId like, int factor) const;
  /// `scores` of output stride `stride` at the picture's own size, by the options' `up`.
  ValueId at_full_size(const std::string& name, ValueId scores, int stride) const;
  /// The same by bilinear magnification, for outputs that only the training has.
  ValueId at_full_size_for_training(const std::string& name, ValueId scores, int stride) const;

 private:
  GraphBuilder& g_;
  bool align_corners_;
  UpsampleOptions up_;
  ValueId image_ = -1;
  ValueId padded_ = -1;
};

/// A rate that is stated for `at_stride`; at least 1.
int rate_at(int output_stride, int rate, int at_stride);

/// VGG's head on `x`: fc6, fc7 and the scores fc8, each name followed by `suffix`.
struct FullyConnected {
  FieldOfView field;
  int channels = 1024;
  Norm norm = Norm::none;
  float dropout = 0.5f;
};
ValueId fully_connected_scores(GraphBuilder& g, const std::string& suffix, ValueId x,
                               const DeeplabOptions& common, const FullyConnected& options);

/// The settings that several of the four have.
SettingInfo output_stride_setting(const char* default_value);
SettingInfo align_corners_setting();
SettingInfo backbone_setting(const char* default_value, const char* published);
/// Of VGG-16 as a backbone.
SettingInfo vgg_norm_setting();
DeeplabOptions deeplab_options(const ModelOptions& options, const Settings& settings);
Backbone backbone_choice(const Settings& settings);
/// Throws Error where it is none and `backbone` has norms.
Norm vgg_norm_choice(const Settings& settings, Backbone backbone);
/// The setting "width": a number, or "published".
int width_choice(const Settings& settings, Backbone backbone);

}  // namespace segmentum
