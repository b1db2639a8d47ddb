#include "train/tiny_dataset.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/random.h"
#include "image/codec.h"

namespace segmentum {
namespace {

constexpr int kHeight = 20;
constexpr int kWidth = 24;

void paint(Image& image, LabelMap& labels, std::uint16_t label, RandomStream& random) {
  const int side = 6;
  const auto top = static_cast<int>(random.below(kHeight - side));
  const auto left = static_cast<int>(random.below(kWidth - side));
  for (int y = top; y < top + side; ++y) {
    for (int x = left; x < left + side; ++x) {
      labels(y, x) = label;
      for (int c = 0; c < 3; ++c) {
        std::uint8_t& value = image.row<std::uint8_t>(y)[3 * x + c];
        value = static_cast<std::uint8_t>(value + (label == 1 ? 70 : -70));
      }
    }
  }
}

void write_sample(const Dataset& dataset, const Sample& sample, std::uint32_t index) {
  RandomStream random(11, 0, index);
  Image image(kHeight, kWidth, 3);
  LabelMap labels(kHeight, kWidth);
  for (int y = 0; y < kHeight; ++y) {
    for (int i = 0; i < 3 * kWidth; ++i) {
      image.row<std::uint8_t>(y)[i] = static_cast<std::uint8_t>(100 + random.below(50));
    }
  }
  for (int label = dataset.class_count() - 1; label >= 1; --label) {
    paint(image, labels, static_cast<std::uint16_t>(label), random);
  }
  for (int x = 0; x < kWidth; ++x) labels(0, x) = labels(kHeight - 1, x) = kIgnoreLabel;
  write_png(dataset.root / sample.image, image);
  write_label_png(dataset.root / sample.mask, labels, palette_of(dataset.classes));
}

}  // namespace

TemporaryFolder::TemporaryFolder(const std::string& name)
    : path_(std::filesystem::path(testing::TempDir()) /
            ("segmentum_train_" + name + "_" + std::to_string(::getpid()))) {
  std::filesystem::remove_all(path_);
  std::filesystem::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Dataset make_tiny_dataset(const std::filesystem::path& root, int classes) {
  Dataset dataset;
  dataset.root = root;
  const Palette palette = Palette::voc(classes);
  for (int k = 0; k < classes; ++k) {
    dataset.classes.push_back({"class " + std::to_string(k), palette.colours[k]});
    dataset.encoding.to_class[static_cast<std::uint32_t>(k)] = static_cast<std::uint16_t>(k);
  }
  dataset.encoding.to_class[255] = kIgnoreLabel;
  dataset.mean = {0.49f, 0.49f, 0.49f};
  dataset.std = {0.1f, 0.1f, 0.1f};
  std::filesystem::create_directories(root);
  for (int i = 0; i < 7; ++i) {
    const std::string name = "p" + std::to_string(i);
    const Sample sample{.name = name, .image = name + ".png", .mask = name + "_mask.png"};
    write_sample(dataset, sample, static_cast<std::uint32_t>(i));
    dataset.splits[i < 5 ? "train" : "val"].push_back(sample);
  }
  return dataset;
}

TrainConfig tiny_config(int steps) {
  TrainConfig config;
  config.model = {{"width", "2"}, {"depth", "2"}};
  config.steps = steps;
  config.batch = 2;
  config.crop = 16;
  config.lr = 0.01;
  config.log_every = 2;
  config.validate_every = 1;
  config.threads = 1;  // more of them take longer on pictures this small
  return config;
}

}  // namespace segmentum
