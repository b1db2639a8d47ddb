#include "configure/data_profile.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/instances.h"
#include "data/statistics.h"
#include "metrics/coarse_labels.h"
#include "metrics/confusion_matrix.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Every n-th labelled sample, so that no more than `most` are left.
std::vector<Sample> spread(const std::vector<Sample>& samples, int most) {
  std::vector<Sample> chosen;
  const auto all = static_cast<std::int64_t>(samples.size());
  const std::int64_t count = std::min<std::int64_t>(all, most);
  for (std::int64_t i = 0; i < count; ++i) {
    chosen.push_back(samples[static_cast<std::size_t>(i * all / count)]);
  }
  return chosen;
}

template <typename T>
bool differ_in_colour(const Image& image) {
  for (int y = 0; y < image.height(); ++y) {
    const T* pixel = image.row<T>(y);
    for (int x = 0; x < image.width(); ++x, pixel += image.channels()) {
      if (pixel[0] != pixel[1] || pixel[1] != pixel[2]) return true;
    }
  }
  return false;
}

bool is_coloured(const Image& image) {
  if (image.channels() != 3) return false;
  if (image.type() == PixelType::u8) return differ_in_colour<std::uint8_t>(image);
  if (image.type() == PixelType::u16) return differ_in_colour<std::uint16_t>(image);
  return differ_in_colour<float>(image);
}

template <typename T>
double mean_sample(const Image& image) {
  double sum = 0;
  for (int y = 0; y < image.height(); ++y) {
    const T* row = image.row<T>(y);
    const auto samples = static_cast<std::ptrdiff_t>(image.width()) * image.channels();
    sum = std::accumulate(row, row + samples, sum);
  }
  return sum / (static_cast<double>(image.height()) * image.width() * image.channels());
}

/// In [0,1] for integer samples.
double brightness(const Image& image) {
  if (image.type() == PixelType::u8) return mean_sample<std::uint8_t>(image) / 255;
  if (image.type() == PixelType::u16) return mean_sample<std::uint16_t>(image) / 65535;
  return mean_sample<float>(image);
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  const double middle = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - middle) * (value - middle);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

double relative_deviation(const std::vector<double>& values) {
  const double middle = mean(values);
  return middle == 0 ? 0 : deviation(values) / std::abs(middle);
}

/// e to the deviation of the logarithms.
double factor_between(const std::vector<double>& values) {
  if (values.empty()) return 1;
  std::vector<double> logarithms(values.size());
  std::ranges::transform(values, logarithms.begin(), [](double value) { return std::log(value); });
  return std::exp(deviation(logarithms));
}

int median(std::vector<int> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// The pixels of each object of a mask; none where a mask has more objects than can be numbered.
std::vector<std::int64_t> object_pixels(const LabelMap& labels) {
  std::vector<std::int64_t> pixels;
  try {
    for (const Instance& object : list_instances(connected_instances(labels), labels)) {
      pixels.push_back(object.pixels);
    }
  } catch (const Error&) {
    pixels.clear();
  }
  return pixels;
}

/// Adds up what single pictures say.
class Profiler {
 public:
  explicit Profiler(const Dataset& dataset)
      : class_pixels_(dataset.classes.size()),
        showing_(dataset.classes.size()),
        coarse_(dataset.class_count()),
        orientation_(dataset.class_count()) {
    profile_.channels = dataset.channels;
    for (const ClassInfo& info : dataset.classes) profile_.classes.push_back(info.name);
  }

  void add(const LabelledPicture& picture) {
    ++profile_.looked_at;
    heights_.push_back(picture.labels.height());
    widths_.push_back(picture.labels.width());
    pixels_ += static_cast<std::int64_t>(picture.labels.labels().size());
    ClassFrequencies here(profile_.class_count());
    here.add(picture.labels);
    for (std::size_t k = 0; k < showing_.size(); ++k) {
      class_pixels_[k] += here.pixels[k];
      showing_[k] += here.pixels[k] > 0;
    }
    coarse_.add(coarsened(picture.labels, 4, CoarseRule::nearest), picture.labels);
    orientation_.add(picture.image, picture.labels);
    brightness_.push_back(brightness(picture.image));
    profile_.coloured = profile_.coloured || is_coloured(picture.image);
    const std::vector<std::int64_t> objects = object_pixels(picture.labels);
    if (!objects.empty()) sizes_.push_back(typical_object_px(objects));
    objects_.insert(objects_.end(), objects.begin(), objects.end());
  }

  std::int64_t pixels() const { return pixels_; }

  DataProfile result() {
    if (profile_.looked_at == 0) return profile_;
    profile_.height = median(heights_);
    profile_.width = median(widths_);
    profile_.picture_pixels = static_cast<double>(pixels_) / profile_.looked_at;
    const auto labelled = static_cast<double>(
        std::accumulate(class_pixels_.begin(), class_pixels_.end(), std::int64_t{0}));
    for (std::size_t k = 0; k < showing_.size(); ++k) {
      profile_.class_shares.push_back(static_cast<double>(class_pixels_[k]) /
                                      std::max(1.0, labelled));
      profile_.class_pictures.push_back(static_cast<double>(showing_[k]) / profile_.looked_at);
    }
    profile_.object_px = typical_object_px(std::move(objects_));
    profile_.object_spread = factor_between(sizes_);
    profile_.kept_at_4 = scores(coarse_).mean_iou;
    profile_.brightness_spread = relative_deviation(brightness_);
    profile_.orientation = orientation_.result();
    return profile_;
  }

 private:
  DataProfile profile_;
  std::vector<std::int64_t> class_pixels_;  // [K]
  std::vector<int> showing_;                // [K] pictures
  ConfusionMatrix coarse_;
  OrientationSurvey orientation_;
  std::vector<int> heights_, widths_;
  std::vector<double> brightness_;
  std::vector<std::int64_t> objects_;  // pixels of each
  std::vector<double> sizes_;          // of the typical object of each picture
  std::int64_t pixels_ = 0;
};

}  // namespace

double typical_object_px(std::vector<std::int64_t> object_pixels) {
  std::ranges::sort(object_pixels);
  const std::int64_t all =
      std::accumulate(object_pixels.begin(), object_pixels.end(), std::int64_t{0});
  std::int64_t seen = 0;
  for (const std::int64_t pixels : object_pixels) {
    seen += pixels;
    if (2 * seen >= all) return std::sqrt(static_cast<double>(pixels));
  }
  return 0;
}

DataProfile profile_data(const Dataset& dataset, const std::string& split, ProgressSink& progress,
                         int most_pictures, std::int64_t most_pixels) {
  std::vector<Sample> labelled = dataset.split(split);
  std::erase_if(labelled, [](const Sample& sample) { return sample.mask.empty(); });
  Profiler profiler(dataset);
  for (const Sample& sample : spread(labelled, most_pictures)) {
    if (progress.stop_requested()) throw Interrupted();
    try {
      profiler.add(read_labelled(dataset, sample));
    } catch (const Error&) {
      continue;  // whoever needs this file says what is wrong with it
    }
    if (profiler.pixels() >= most_pixels) break;
  }
  DataProfile profile = profiler.result();
  profile.pictures = static_cast<std::int64_t>(labelled.size());
  return profile;
}

}  // namespace segmentum
