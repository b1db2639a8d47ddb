// Cuts the object out of each given box of a picture.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "image/box.h"
#include "model_file/model.h"
#include "segmentum/segmenter.h"

namespace segmentum {

/// A trained network on boxes, ready to run on one thread at a time. Of the options, `engine` and
/// `threads` count.
class BoxSegmenter {
 public:
  /// Throws Error if the model does not work on boxes.
  BoxSegmenter(Model model, const SegmenterOptions& options);
  BoxSegmenter(const BoxSegmenter&) = delete;
  BoxSegmenter& operator=(const BoxSegmenter&) = delete;

  /// Reads a .segmentum file. Throws Error naming it.
  static BoxSegmenter load(const std::string& path, const SegmenterOptions& options);

  /// The background first.
  const std::vector<ClassInfo>& classes() const { return model_.classes; }

  /// The class of a box by its name, or its index as text; empty: the only class of objects.
  /// Throws Error telling which there are.
  int class_of(const std::string& name) const;

  /// The pixels of the object of class `label`, which is not 0, in `box`. The mask covers what the
  /// network sees: the box grown by a factor that the model knows, cut to the picture.
  /// Throws Error for a box without a part in the picture, and channels that do not fit.
  Mask segment(const ImageView& picture, const Box& box, int label);

 private:
  Model model_;  // its graph and parameters are the optimised ones
  SegmenterOptions options_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Plan> plan_;
};

}  // namespace segmentum
