// Labelled pictures for the asking: street scenes whose labels are exact.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "segmentum/classes.h"
#include "segmentum/image.h"
#include "segmentum/progress.h"

namespace segmentum {

/// How the scenes look. The strengths are multiples of the usual: 0 turns an effect off.
struct SceneOptions {
  int height = 240;
  int width = 320;
  double objects = 1;  // number of cars, people, poles and trees
  double variety = 1;  // of colours within a class, and so their overlap between classes
  double light = 1;    // unevenness of the light: clouds, vignetting, exposure, tint
  double blur = 1;
  double noise = 1;
};

/// A picture (u8 RGB) and the label of the centre of each pixel; no pixel is ignored.
struct Scene {
  Image image;
  LabelMap labels;
};

/// Sky, building, road, pavement, tree, car, pole, person.
std::vector<ClassInfo> scene_classes();

/// The scene `index` of the series `seed`: the same bits whenever it is asked for, on any thread.
/// Throws Error for sides below 16 px or negative strengths. About 20 ms for 320x240 on one core.
Scene generate_scene(std::uint64_t seed, std::uint32_t index, const SceneOptions& options = {});

struct SceneCounts {
  int train = 200;
  int val = 40;
  int test = 40;
};

/// A whole data set in `folder`: PNG pictures in train/, val/ and test/, palette masks in
/// trainannot/, valannot/ and testannot/, the lists train.txt, val.txt and test.txt ("image mask"
/// in each line) and classes.csv (id,name,r,g,b). The splits are scenes 0.. of the series in this
/// order. Throws Error naming the file that cannot be written, Interrupted where `progress` asks to
/// stop. O(scenes), in parallel.
void write_scenes(const std::filesystem::path& folder, const SceneCounts& counts,
                  std::uint64_t seed, const SceneOptions& options = {},
                  ProgressSink* progress = nullptr);

}  // namespace segmentum
