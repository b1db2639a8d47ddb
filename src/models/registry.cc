#include "models/registry.h"

#include <algorithm>
#include <iterator>

#include "base/spelling.h"
#include "models/crf_layer.h"
#include "models/deeplab.h"
#include "models/fcn.h"
#include "models/hypercolumn.h"
#include "models/settings.h"
#include "models/smp.h"
#include "models/torchvision.h"
#include "models/unet.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr int kMostClasses = 65535;  // labels are 16 bits, one of which is `ignore`
constexpr int kMostInputChannels = 4096;

const std::vector<Architecture>& all() {
  static const auto kAll = [] {
    std::vector<Architecture> list{unet_architecture(),
                                   published_unet_architecture(),
                                   fcn_architecture(8),
                                   fcn_architecture(16),
                                   fcn_architecture(32),
                                   deeplab_v1_architecture(),
                                   deeplab_v2_architecture(),
                                   deeplab_v3_architecture(),
                                   deeplab_v3plus_architecture(),
                                   hypercolumn_architecture(),
                                   hypercolumn_boxes_architecture()};
    for (auto family : {torchvision_architectures(), smp_architectures()}) {
      std::ranges::move(family, std::back_inserter(list));
    }
    return list;
  }();
  return kAll;
}

const Architecture& find(const std::string& name) {
  std::vector<std::string> known;
  for (const Architecture& architecture : all()) {
    if (architecture.info.name == name) return architecture;
    known.push_back(architecture.info.name);
  }
  throw Error("there is no model \"" + name + "\"; " + did_you_mean(name, known) + "there are " +
              joined(known));
}

void require_range(const char* what, int value, int highest) {
  if (value < 1 || value > highest) {
    throw Error("a model of " + std::to_string(value) + " " + what + "; expected 1 to " +
                std::to_string(highest));
  }
}

}  // namespace

const std::vector<ArchitectureInfo>& architectures() {
  static const auto kInfos = [] {
    std::vector<ArchitectureInfo> infos;
    for (const Architecture& architecture : all()) infos.push_back(architecture.info);
    return infos;
  }();
  return kInfos;
}

Graph build_model(const std::string& architecture, const ModelOptions& options) {
  const Architecture& found = find(architecture);
  box_crop(architecture, options);  // checks the settings that shape no graph
  require_range("classes", options.classes, kMostClasses);
  require_range("input channels", options.input_channels, kMostInputChannels);
  return found.build(options, Settings(found.info, options.settings));
}

std::optional<BoxCrop> box_crop(const std::string& architecture, const ModelOptions& options) {
  const ArchitectureInfo& info = find(architecture).info;
  if (!info.on_boxes) return std::nullopt;
  const Settings settings(info, options.settings);
  return BoxCrop{.side_px = settings.integer("side", BoxCrop::kLeastSide, BoxCrop::kGreatestSide),
                 .expand = settings.real("expand", 1, BoxCrop::kGreatestExpand)};
}

std::optional<CrfSettings> post_crf(const std::string& architecture, const ModelOptions& options) {
  const ArchitectureInfo& info = find(architecture).info;
  if (std::ranges::find(info.settings, "crf", &SettingInfo::name) == info.settings.end()) {
    return std::nullopt;
  }
  return post_crf(Settings(info, options.settings));
}

std::map<std::string, std::string> resolved_settings(const std::string& architecture,
                                                     const ModelOptions& options) {
  return Settings(find(architecture).info, options.settings).values();
}

}  // namespace segmentum
