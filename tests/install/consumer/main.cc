// What an application does: loads a model, segments a picture of its own, catches the one error
// type.
#include <cstdint>
#include <iostream>

#include "segmentum/segmenter.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto segmenter = segmentum::Segmenter::load(argv[1]);
  const segmentum::Image picture(5, 7, 3);
  const segmentum::LabelMap labels = segmenter.segment(picture);
  std::cout << labels.height() << "x" << labels.width() << " of " << segmenter.classes().size()
            << " classes\n";
  try {
    segmentum::Segmenter::load("nowhere.segmentum");
  } catch (const segmentum::Error& error) {
    std::cout << "refused: " << error.what() << "\n";
    return 0;
  }
  return 1;
}
