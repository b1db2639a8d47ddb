#include <iostream>

#include "segmentum/error.h"
#include "segmentum/image.h"

int main() {
  const segmentum::Image image(2, 3, 4);
  std::cout << image.height() << "x" << image.width() << "x" << image.channels() << "\n";
  try {
    segmentum::Image(0, 3, 4);
  } catch (const segmentum::Error& error) {
    std::cout << "refused: " << error.what() << "\n";
    return 0;
  }
  return 1;
}
