// One picture in, its label map out, drawn to the picture's edges by a dense CRF.
#include <cstdio>

#include "segmentum/crf.h"
#include "segmentum/files.h"
#include "segmentum/segmenter.h"

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::fprintf(stderr, "usage: refine_with_crf MODEL.segmentum PICTURE LABELS.png\n");
    return 2;
  }
  const auto segmenter = segmentum::Segmenter::load(argv[1]);
  const segmentum::Image picture = segmentum::load_picture(argv[2]);
  const segmentum::CrfSettings settings{.iterations = 5, .bilateral_sigma_px = 40};
  segmentum::DenseCrf crf =
      segmentum::make_crf(picture, segmenter.probabilities(picture), settings);
  for (const segmentum::CrfStep& step : crf.infer(settings.iterations)) {
    std::printf("free energy %.1f, %.1f %% of the labelling moved\n", step.free_energy_before,
                100 * step.change);
  }
  segmentum::save_labels(argv[3], crf.most_likely(), segmenter.classes());
  std::printf("%s: refined\n", argv[3]);
  return 0;
} catch (const segmentum::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
