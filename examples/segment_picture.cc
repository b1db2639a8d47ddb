// One picture in, its label map out.
#include <cstdio>

#include "segmentum/files.h"
#include "segmentum/segmenter.h"

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: segment_picture MODEL.segmentum PICTURE LABELS.png\n");
    return 2;
  }
  const auto segmenter = segmentum::Segmenter::load(argv[1]);
  const segmentum::Image picture = segmentum::load_picture(argv[2]);
  const segmentum::LabelMap labels = segmenter.segment(picture);
  segmentum::save_labels(argv[3], labels, segmenter.classes());
  std::printf("%s: %dx%d pixels labelled\n", argv[3], labels.width(), labels.height());
  return 0;
} catch (const segmentum::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
