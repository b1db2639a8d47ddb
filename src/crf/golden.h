// Marginals and label maps of the standard implementation (Krähenbühl and Koltun's C++ code), for
// tests: ../shared/golden/crf beside the sources. A fresh clone has none.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "image/codec.h"
#include "segmentum/crf.h"

namespace segmentum {

/// One picture with what to refine, and what comes of it: a spatial and a bilateral kernel, Potts,
/// symmetric.
class CrfGolden {
 public:
  explicit CrfGolden(const nlohmann::json& about)
      : name(about.at("name")),
        classes(about.at("classes")),
        settings{.spatial_sigma_px = about.at("gaussian").at("sigma_xy_px"),
                 .spatial_weight = about.at("gaussian").at("weight"),
                 .bilateral_sigma_px = about.at("bilateral").at("sigma_xy_px"),
                 .bilateral_sigma_colour = about.at("bilateral").at("sigma_rgb"),
                 .bilateral_weight = about.at("bilateral").at("weight")},
        picture(read_image(file(".image.png"))),
        unary(read_floats(file(".unary.npy"))) {}

  static std::filesystem::path folder() {
    if (const char* given = std::getenv("SEGMENTUM_GOLDEN")) {
      return std::filesystem::path(given) / "crf";
    }
    return std::filesystem::path(SEGMENTUM_SOURCE_DIR) / ".." / "shared" / "golden" / "crf";
  }
  /// None where the folder is absent.
  static std::vector<CrfGolden> all() {
    std::vector<CrfGolden> goldens;
    if (!std::filesystem::exists(folder() / "cases.json")) return goldens;
    for (const auto& about : nlohmann::json::parse(read_file(folder() / "cases.json"))) {
      goldens.emplace_back(about);
    }
    return goldens;
  }

  /// [K,H,W] after 1 or 10 iterations.
  std::vector<float> marginals(int iterations) const {
    return read_floats(file(".q" + std::to_string(iterations) + ".npy"));
  }
  /// After 1, 5 or 10 iterations.
  LabelMap labels(int iterations) const {
    const Image map = read_mask(file(".labels" + std::to_string(iterations) + ".png")).values;
    LabelMap labels(map.height(), map.width());
    for (int y = 0; y < map.height(); ++y) {
      for (int x = 0; x < map.width(); ++x) labels(y, x) = map.row<std::uint8_t>(y)[x];
    }
    return labels;
  }

  std::string name;
  int classes;
  CrfSettings settings;
  Image picture;
  std::vector<float> unary;  // -log p, [K,H,W]

 private:
  std::filesystem::path file(const std::string& ending) const { return folder() / (name + ending); }

  /// The numbers of a .npy file of float32.
  static std::vector<float> read_floats(const std::filesystem::path& path) {
    const std::string bytes = read_file(path);
    std::uint16_t header = 0;
    std::memcpy(&header, bytes.data() + 8, 2);
    std::vector<float> values((bytes.size() - 10 - header) / sizeof(float));
    std::memcpy(values.data(), bytes.data() + 10 + header, values.size() * sizeof(float));
    return values;
  }
};

inline double largest_difference(std::span<const float> have, std::span<const float> expected) {
  double largest = have.size() == expected.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < std::min(have.size(), expected.size()); ++i) {
    largest = std::max(largest,
                       std::fabs(static_cast<double>(have[i]) - static_cast<double>(expected[i])));
  }
  return largest;
}

inline std::int64_t different_labels(const LabelMap& have, const LabelMap& expected) {
  std::int64_t different = 0;
  for (std::size_t i = 0; i < expected.labels().size(); ++i) {
    different += have.labels()[i] == expected.labels()[i] ? 0 : 1;
  }
  return different;
}

}  // namespace segmentum
