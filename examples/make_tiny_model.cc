// What the tests run the examples on: a tiny U-Net of random weights, and a picture of noise.
#include <cstdio>

#include "infer/testing.h"
#include "segmentum/error.h"
#include "segmentum/files.h"

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "usage: make_tiny_model MODEL.segmentum PICTURE.png\n");
    return 2;
  }
  segmentum::save_model(argv[1], segmentum::tiny_model("unet"));
  segmentum::save_picture(argv[2], segmentum::noise_picture(37, 53));
  return 0;
} catch (const segmentum::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
