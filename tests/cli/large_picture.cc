#include "large_picture.h"

#include "base/random.h"
#include "image/codec.h"

namespace segmentum {

void write_large_picture(const std::filesystem::path& path, int height, int width) {
  Image image(height, width, 3);
  RandomStream random(4, 0, 0);
  for (int y = 0; y < height; ++y) {
    auto* row = image.row<std::uint8_t>(y);
    for (int i = 0; i < 3 * width; ++i) {
      row[i] = static_cast<std::uint8_t>((y / 50 * 40 + i / 150 * 60 + random.bits() % 40) % 256);
    }
  }
  write_png(path, image);
}

std::vector<std::string> large_prediction(const std::filesystem::path& folder,
                                          const std::filesystem::path& model,
                                          const std::string& out,
                                          const std::vector<std::string>& more) {
  std::vector<std::string> words{"predict",   model, folder / "large.png", "--out", folder / out,
                                 "--threads", "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace segmentum
