// Beside the standard implementation: marginals and label maps that it computed, in
// ../shared/golden/crf beside the sources. A fresh clone has none, and skips this.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "image/codec.h"
#include "segmentum/crf.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

fs::path golden_folder() {
  if (const char* folder = std::getenv("SEGMENTUM_GOLDEN")) return fs::path(folder) / "crf";
  return fs::path(SEGMENTUM_SOURCE_DIR) / ".." / "shared" / "golden" / "crf";
}

/// The numbers of a .npy file of float32.
std::vector<float> read_floats(const fs::path& path) {
  const std::string bytes = read_file(path);
  std::uint16_t header = 0;
  std::memcpy(&header, bytes.data() + 8, 2);
  std::vector<float> values((bytes.size() - 10 - header) / sizeof(float));
  std::memcpy(values.data(), bytes.data() + 10 + header, values.size() * sizeof(float));
  return values;
}

double largest_difference(const Probabilities& q, const std::vector<float>& expected) {
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(
        largest, std::fabs(static_cast<double>(q.values()[i]) - static_cast<double>(expected[i])));
  }
  return largest;
}

double share_of_equal_labels(const LabelMap& labels, const fs::path& expected) {
  const Image map = read_mask(expected).values;
  std::int64_t equal = 0;
  for (int y = 0; y < labels.height(); ++y) {
    for (int x = 0; x < labels.width(); ++x) {
      equal += labels(y, x) == map.row<std::uint8_t>(y)[x] ? 1 : 0;
    }
  }
  return static_cast<double>(equal) / (1.0 * labels.height() * labels.width());
}

void compare(const Json& golden) {
  const std::string name = golden.at("name");
  const auto file = [&](const std::string& ending) { return golden_folder() / (name + ending); };
  const Image picture = read_image(file(".image.png"));
  const Json &spatial = golden.at("gaussian"), &bilateral = golden.at("bilateral");
  DenseCrf crf({.height = picture.height(), .width = picture.width()}, golden.at("classes"));
  crf.set_unary(read_floats(file(".unary.npy")));
  crf.add_spatial({.sigma_xy_px = spatial.at("sigma_xy_px")}, {.weight = spatial.at("weight")});
  crf.add_bilateral(
      picture,
      {.sigma_xy_px = bilateral.at("sigma_xy_px"), .sigma_samples = {bilateral.at("sigma_rgb")}},
      {.weight = bilateral.at("weight")});
  crf.start();
  for (int step = 1; step <= 10; ++step) {
    crf.step();
    if (step != 1 && step != 5 && step != 10) continue;
    const double equal =
        share_of_equal_labels(crf.most_likely(), file(".labels" + std::to_string(step) + ".png"));
    std::cout << name << ", " << step << " iterations: " << 100 * equal << " % labels equal";
    EXPECT_GE(equal, 0.999) << name << " after " << step;
    if (step != 5) {
      const double difference = largest_difference(
          crf.marginals(), read_floats(file(".q" + std::to_string(step) + ".npy")));
      std::cout << ", marginals within " << difference;
      if (step == 1) {
        EXPECT_LE(difference, 1e-4) << name;
      }
    }
    std::cout << "\n";
  }
}

TEST(CrfGolden, AgreesWithTheStandardImplementation) {
  if (!fs::exists(golden_folder() / "cases.json")) {
    GTEST_SKIP() << golden_folder() << " is absent";
  }
  for (const Json& golden : Json::parse(read_file(golden_folder() / "cases.json"))) compare(golden);
}

}  // namespace
}  // namespace segmentum
