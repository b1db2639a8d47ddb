#include "data/cityscapes.h"

#include <array>
#include <string>

#include "data/file_role.h"

namespace segmentum {
namespace {

struct CityscapesId {
  const char* name;
  std::uint16_t train_id;  // 255: not trained on
  Rgb colour;
};
constexpr std::uint16_t kNot = 255;

/// github.com/mcordts/cityscapesScripts, helpers/labels.py, by id.
constexpr std::array<CityscapesId, kCityscapesIds> kIds = {{{"unlabeled", kNot, {}},
                                                            {"ego vehicle", kNot, {}},
                                                            {"rectification border", kNot, {}},
                                                            {"out of roi", kNot, {}},
                                                            {"static", kNot, {}},
                                                            {"dynamic", kNot, {111, 74, 0}},
                                                            {"ground", kNot, {81, 0, 81}},
                                                            {"road", 0, {128, 64, 128}},
                                                            {"sidewalk", 1, {244, 35, 232}},
                                                            {"parking", kNot, {250, 170, 160}},
                                                            {"rail track", kNot, {230, 150, 140}},
                                                            {"building", 2, {70, 70, 70}},
                                                            {"wall", 3, {102, 102, 156}},
                                                            {"fence", 4, {190, 153, 153}},
                                                            {"guard rail", kNot, {180, 165, 180}},
                                                            {"bridge", kNot, {150, 100, 100}},
                                                            {"tunnel", kNot, {150, 120, 90}},
                                                            {"pole", 5, {153, 153, 153}},
                                                            {"polegroup", kNot, {153, 153, 153}},
                                                            {"traffic light", 6, {250, 170, 30}},
                                                            {"traffic sign", 7, {220, 220, 0}},
                                                            {"vegetation", 8, {107, 142, 35}},
                                                            {"terrain", 9, {152, 251, 152}},
                                                            {"sky", 10, {70, 130, 180}},
                                                            {"person", 11, {220, 20, 60}},
                                                            {"rider", 12, {255, 0, 0}},
                                                            {"car", 13, {0, 0, 142}},
                                                            {"truck", 14, {0, 0, 70}},
                                                            {"bus", 15, {0, 60, 100}},
                                                            {"caravan", kNot, {0, 0, 90}},
                                                            {"trailer", kNot, {0, 0, 110}},
                                                            {"train", 16, {0, 80, 100}},
                                                            {"motorcycle", 17, {0, 0, 230}},
                                                            {"bicycle", 18, {119, 11, 32}}}};

bool most_are_called(const std::vector<Sample>& samples, const std::string& word) {
  std::size_t called = 0;
  for (const Sample& sample : samples) {
    called += lower_case(sample.mask.filename().string()).find(word) != std::string::npos;
  }
  return 2 * called > samples.size();
}

Legend train_id_legend() {
  Legend legend{.file = "Cityscapes' table of trainIds"};
  for (const CityscapesId& id : kIds) {
    if (id.train_id != kNot)
      legend.entries.push_back({id.train_id, true, id.name, id.colour, false});
  }
  legend.entries.push_back({255, true, "void", std::nullopt, true});
  return legend;
}

Legend label_id_legend() {
  Legend legend{.file = "Cityscapes' table of labelIds"};
  for (std::uint32_t value = 0; value < kCityscapesIds; ++value) {
    const CityscapesId& id = kIds[value];
    legend.entries.push_back({value, true, id.name, id.colour, id.train_id == kNot});
  }
  legend.entries.push_back({255, true, "license plate", std::nullopt, true});  // -1 in the table
  return legend;
}

}  // namespace

std::uint16_t cityscapes_train_id(std::uint32_t label_id) {
  const std::uint16_t id = label_id < kCityscapesIds ? kIds[label_id].train_id : kNot;
  return id == kNot ? kIgnoreLabel : id;
}

Legend cityscapes_legend(const std::vector<Sample>& samples) {
  if (most_are_called(samples, "_labelids")) return label_id_legend();
  if (most_are_called(samples, "_labeltrainids")) return train_id_legend();
  return {};
}

}  // namespace segmentum
