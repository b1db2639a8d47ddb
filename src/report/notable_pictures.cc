#include "report/notable_pictures.h"

#include <algorithm>
#include <cstddef>

#include "image/colour.h"
#include "image/resize.h"
#include "metrics/confusion_matrix.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

/// Takes `picture` into a list ordered by `before` and cut to `count`.
template <typename Before>
void insert(std::vector<ReportPicture>& list, const ReportPicture& picture, std::size_t count,
            Before before) {
  list.insert(std::ranges::find_if(list, [&](const auto& other) { return before(picture, other); }),
              picture);
  if (list.size() > count) list.pop_back();
}

}  // namespace

ReportPicture shrunk(const std::string& name, ImageView picture, const LabelMap& prediction,
                     const LabelMap& truth, int side) {
  const auto fits = [&](const LabelMap& labels) {
    return labels.height() == picture.height && labels.width() == picture.width;
  };
  if (!fits(prediction) || !fits(truth)) {
    throw Error("picture, prediction and mask of " + name + " differ in size");
  }
  const double scale =
      std::min(1.0, static_cast<double>(side) / std::max(picture.height, picture.width));
  const int height = std::max(1, static_cast<int>(scale * picture.height + 0.5));
  const int width = std::max(1, static_cast<int>(scale * picture.width + 0.5));
  return {.name = name,
          .picture = resize(to_rgb(picture), height, width, {.antialias = true}),
          .prediction = resize_nearest(prediction, height, width),
          .truth = resize_nearest(truth, height, width)};
}

NotablePictures::NotablePictures(int classes, int count)
    : classes_(classes), count_(static_cast<std::size_t>(std::max(count, 0))) {
  if (classes <= 0 || count <= 0) {
    throw Error("notable pictures need at least one class and one picture to keep");
  }
}

void NotablePictures::add(const std::string& name, ImageView picture, const LabelMap& prediction,
                          const LabelMap& truth) {
  ConfusionMatrix counts(classes_);
  counts.add(prediction, truth);
  const Scores of_picture = scores(counts);
  if (of_picture.pixels == 0) return;
  ++seen_;
  const double score = of_picture.mean_iou;
  const bool among_best = best_.size() < count_ || score > best_.back().score;
  const bool among_worst = worst_.size() < count_ || score <= worst_.back().score;
  if (!among_best && !among_worst) return;
  ReportPicture kept = shrunk(name, picture, prediction, truth);
  kept.score = score;
  using Picture = const ReportPicture&;
  if (among_best) {
    insert(best_, kept, count_, [](Picture a, Picture b) { return a.score > b.score; });
  }
  if (among_worst) {  // just the reverse order, so that the halves of few pictures are disjoint
    insert(worst_, kept, count_, [](Picture a, Picture b) { return a.score <= b.score; });
  }
}

std::vector<ReportPicture> NotablePictures::best() const {
  const auto count = static_cast<std::ptrdiff_t>(std::min(count_, (seen_ + 1) / 2));
  return {best_.begin(), best_.begin() + count};
}

std::vector<ReportPicture> NotablePictures::worst() const {
  const auto count = static_cast<std::ptrdiff_t>(std::min(count_, seen_ / 2));
  return {worst_.begin(), worst_.begin() + count};
}

}  // namespace segmentum
