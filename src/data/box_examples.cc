#include "data/box_examples.h"

namespace segmentum {
namespace {

Box jittered(const Box& box, double jitter, RandomStream& random) {
  const auto moved = [&](double side, double extent) {
    return side + jitter * extent * random.uniform(-1, 1);
  };
  const double x0 = moved(box.x0, box.width()), y0 = moved(box.y0, box.height());
  return {x0, y0, moved(box.x1, box.width()), moved(box.y1, box.height())};
}

}  // namespace

std::vector<BoxExample> find_boxes(const Dataset& dataset, const std::string& split) {
  std::vector<BoxExample> boxes;
  const std::vector<Sample>& samples = dataset.split(split);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const LabelMap labels = read_labels(dataset, samples[i]);
    const LabelMap instances = read_instances(dataset, samples[i], labels);
    for (const Instance& instance : list_instances(instances, labels)) {
      boxes.push_back({static_cast<int>(i), instance});
    }
  }
  return boxes;
}

LabelledPicture box_example(const LabelledPicture& picture, const BoxExamples& examples, int index,
                            const AugmentOptions& augment, RandomStream& random) {
  const Instance& object = examples.boxes[static_cast<std::size_t>(index)].instance;
  const BoxCrop& crop = examples.crop;
  const Box box = jittered(object.box, examples.jitter, random);
  const Flips flips{.along_x = random.chance(augment.flip_horizontal),
                    .along_y = random.chance(augment.flip_vertical)};
  const Image& image = picture.image;
  const Box region = crop_region(box, crop, image.height(), image.width());
  LabelledPicture example{stretched_crop(image, region, crop.side_px, flips),
                          stretched_crop(picture.instances, region, crop.side_px, flips)};
  for (std::uint16_t& label : example.labels.labels()) {
    if (label != kIgnoreLabel) label = box_label(object.label - 1, label == object.id);
  }
  change_colours(example.image, augment, random);
  return example;
}

}  // namespace segmentum
