#include "models/backbones/backbone.h"

#include <algorithm>

#include "segmentum/error.h"

namespace segmentum {

int rounded_channels(double channels) {
  const int rounded = std::max(8, static_cast<int>(channels + 4) / 8 * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

StrideBudget::StrideBudget(const BackboneOptions& options)
    : output_stride_(options.output_stride), rule_(options.dilation_rule) {
  if (output_stride_ != 8 && output_stride_ != 16 && output_stride_ != 32) {
    throw Error("a backbone of output stride " + std::to_string(output_stride_) +
                "; expected 8, 16 or 32");
  }
}

StrideBudget::Stage StrideBudget::spend(int stride) {
  const int inherited = dilation_;
  if (spent_ * stride > output_stride_) {
    dilation_ *= stride;
    stride = 1;
  }
  spent_ *= stride;
  return {stride, rule_ == DilationRule::keep_first ? inherited : dilation_, dilation_};
}

}  // namespace segmentum
