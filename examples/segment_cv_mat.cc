// cv::Mat in, cv::Mat out.
#include <cstdio>
#include <opencv2/imgproc.hpp>

#include "segmentum/segmenter.h"

namespace {

/// The class of each pixel of an 8-bit RGB picture, as CV_16UC1. A region of a larger Mat will do.
cv::Mat segment(const segmentum::Segmenter& segmenter, const cv::Mat& rgb) {
  CV_Assert(rgb.type() == CV_8UC3);
  const segmentum::ImageView view{rgb.data,
                                  rgb.rows,
                                  rgb.cols,
                                  rgb.channels(),
                                  segmentum::PixelType::u8,
                                  static_cast<std::ptrdiff_t>(rgb.step[0])};
  segmentum::LabelMap labels = segmenter.segment(view);
  return cv::Mat(rgb.rows, rgb.cols, CV_16UC1, labels.labels().data()).clone();
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: segment_cv_mat MODEL.segmentum\n");
    return 2;
  }
  const auto segmenter = segmentum::Segmenter::load(argv[1]);

  cv::Mat bgr(120, 160, CV_8UC3, cv::Scalar(200, 120, 40));  // as OpenCV reads pictures
  cv::circle(bgr, {80, 60}, 40, cv::Scalar(30, 200, 220), cv::FILLED);
  cv::Mat rgb;
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);  // the library takes RGB
  const cv::Mat labels = segment(segmenter, rgb(cv::Rect(10, 20, 131, 77)));

  for (std::size_t k = 0; k < segmenter.classes().size(); ++k) {
    std::printf("%s: %d pixels\n", segmenter.classes()[k].name.c_str(),
                cv::countNonZero(labels == static_cast<int>(k)));
  }
  return labels.rows == 77 && labels.cols == 131 ? 0 : 1;
} catch (const segmentum::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
