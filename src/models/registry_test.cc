#include "models/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "graph/analysis.h"
#include "graph/graph_json.h"
#include "graph/parts.h"
#include "graph/regions.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::HasSubstr;
using Given = std::map<std::string, std::string>;

std::string error_of(const std::string& architecture, const ModelOptions& options) {
  try {
    build_model(architecture, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

const SettingInfo* setting(const ArchitectureInfo& info, const std::string& name) {
  const auto found = std::ranges::find(info.settings, name, &SettingInfo::name);
  return found == info.settings.end() ? nullptr : &*found;
}

/// Whether it has the setting, and a choice of words there has this one.
bool offers(const ArchitectureInfo& info, const std::string& name, const std::string& value) {
  const SettingInfo* found = setting(info, name);
  if (found == nullptr) return false;
  const std::string words = "| " + found->values + " |";
  return found->values.find('|') == std::string::npos ||
         words.find("| " + value + " |") != std::string::npos;
}

std::vector<Given> variants(const ArchitectureInfo& info) {
  std::vector<Given> all{{}};
  const auto add = [&](const std::string& name, const std::vector<std::string>& values) {
    const std::vector<Given> before = all;
    for (const std::string& value : values) {
      if (!offers(info, name, value)) continue;
      for (Given given : before) {
        given[name] = value;
        all.push_back(given);
      }
    }
  };
  add("up", {"bilinear", "nearest", "fixed", "transpose", "transpose4"});
  add("alignment", {"authors"});
  add("padding", {"valid"});
  add("aux", {"true"});
  add("depth", {"1", "3", "5"});
  const SettingInfo* const backbone = setting(info, "backbone");
  if (!backbone || backbone->default_value == "vgg16") add("norm", {"none"});
  add("encoder", {"resnet50"});
  add("output_stride", {"8", "16"});
  add("dropout", {"0.2"});
  add("fusion", {"concat"});
  add("layers", {"3", "1,5"});
  add("hidden", {"7"});
  add("crf", {"rnn"});
  // By themselves, or every product would double again.
  const auto also = [&](const Given& given) {
    for (const auto& [name, value] : given) {
      if (!offers(info, name, value)) return;
    }
    all.push_back(given);
  };
  for (const char* up : {"bilinear_conv", "nearest_conv", "last_fixed"}) also({{"up", up}});
  for (const char* up : {"bilinear", "bilinear_conv"}) {
    also({{"up", up}, {"align_corners", "true"}});
  }
  also({{"backbone", "vgg16"}, {"norm", "none"}});
  for (const char* backbone_name :
       {"resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_large", "xception65"}) {
    also({{"backbone", backbone_name}});
    also({{"backbone", backbone_name}, {"up", "transpose"}});
  }
  also({{"names", "torchvision"}});
  also({{"multi_scale", "true"}, {"aux", "true"}, {"up", "nearest_conv"}});
  return all;
}

// Every architecture, every option: logits of exactly the picture's size, from 1x1 up.
TEST(Models, AnySizeGivesLogitsOfThatSize) {
  std::vector<std::int64_t> sizes{63, 64, 65, 127, 128, 129, 130};
  for (std::int64_t size = 1; size <= 40; ++size) sizes.push_back(size);
  for (const ArchitectureInfo& info : architectures()) {
    for (const Given& given : variants(info)) {
      Given settings = given;
      settings.insert_or_assign("width", "2");
      const Graph graph = build_model(info.name, {.classes = 5, .settings = settings});
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        const std::int64_t h = sizes[i], w = sizes[i * 31 % sizes.size()];
        const Shape shape{2, 3, h, w};
        const auto shapes = infer_shapes(graph, {&shape, 1});
        for (const Output& output : graph.outputs) {
          EXPECT_EQ(shapes[static_cast<std::size_t>(output.value)], Shape({2, 5, h, w}))
              << info.name << " " << output.name << " " << to_json(graph);
        }
      }
    }
  }
}

/// A global mean, classifiers by location, a CRF, or a resize whose phase depends on the picture's
/// size.
bool sees_the_whole_picture(const Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const Node& node) {
    const auto* resize = std::get_if<op::Resize>(&node.op);
    return whole_picture_reader(node.op) != nullptr ||
           (resize && (resize->scale == 0 || resize->align_corners));
  });
}

// What the same bits for any tiling rest on. (Group norm sees the whole picture: not here.)
TEST(Models, NetworksCanBeTiledUnlessAPixelSeesAll) {
  for (const ArchitectureInfo& info : architectures()) {
    for (Given given : variants(info)) {
      given.try_emplace("width", "2");
      const Graph graph = build_model(info.name, {.settings = given});
      const Shape shape{1, 3, 64, 64};
      const Analysis analysis = analyse(graph, {&shape, 1});
      ASSERT_EQ(analysis.tile_halo.has_value(), !sees_the_whole_picture(graph)) << info.name;
      if (!analysis.tile_halo) continue;
      EXPECT_GT(analysis.tile_halo->top, 0);
      EXPECT_EQ(analysis.tile_multiple.h % 2, 0);
    }
  }
}

struct Published {
  const char* name;
  Given settings;
  int classes;
  std::int64_t parameters;
  double giga_multiply_adds;  // at 520x520; 0 where none are published
};

// torchvision: `num_params` and `_ops` of its weights, auxiliary heads included. smp: what its
// users print, and for DeepLabV3Plus on ResNet-50 what follows from its names and shapes.
const Published kPublished[] = {
    {"fcn_resnet50", {}, 21, 35'322'218, 152.717},
    {"fcn_resnet101", {}, 21, 54'314'346, 232.738},
    {"deeplabv3_resnet50", {}, 21, 42'004'074, 178.722},
    {"deeplabv3_resnet101", {}, 21, 60'996'202, 258.743},
    {"deeplabv3_mobilenet_v3_large", {}, 21, 11'029'328, 10.452},
    {"lraspp_mobilenet_v3_large", {}, 21, 3'221'538, 2.086},
    {"smp_unet", {{"encoder", "resnet34"}}, 1, 24'436'369, 0},
    {"smp_unet", {{"encoder", "resnet50"}}, 1, 32'521'105, 0},
    {"smp_deeplabv3plus", {{"encoder", "resnet34"}}, 1, 22'437'457, 0},
    {"smp_deeplabv3plus", {{"encoder", "resnet50"}}, 1, 26'677'585, 0},
};

TEST(Models, PublishedParametersAndMultiplyAdds) {
  for (const Published& published : kPublished) {
    const Graph graph =
        build_model(published.name, {.classes = published.classes, .settings = published.settings});
    const Shape shape{1, 3, 520, 520};
    const Analysis analysis = analyse(graph, {&shape, 1});
    EXPECT_EQ(analysis.parameters, published.parameters) << published.name;
    if (published.giga_multiply_adds == 0) continue;
    EXPECT_NEAR(static_cast<double>(analysis.multiply_adds) / 1e9, published.giga_multiply_adds,
                0.0005)  // three decimals are published
        << published.name;
  }
}

/// What a pattern means, as a set.
std::set<std::string> meant(const Graph& graph, const std::string& pattern) {
  const auto names = parameters_matching(graph, pattern);
  return {names.begin(), names.end()};
}

// --freeze backbone and lr.head are in every example, so they work on every network.
TEST(Models, HaveABackboneAndAHead) {
  for (const ArchitectureInfo& info : architectures()) {
    for (Given given : variants(info)) {
      given.insert_or_assign("width", "2");
      const Graph graph = build_model(info.name, {.settings = given});
      const std::set<std::string> backbone = meant(graph, "backbone"), head = meant(graph, "head");
      std::vector<std::string> both;
      std::ranges::set_intersection(backbone, head, std::back_inserter(both));
      EXPECT_THAT(both, testing::IsEmpty()) << info.name;
      // The first convolution is of the backbone, the last one of the head.
      EXPECT_TRUE(backbone.contains(graph.parameters.front().name)) << info.name;
      const auto is_scores = [](const std::string& name) {
        return name.find("score") != std::string::npos || name.find("head") != std::string::npos ||
               name.find("fc8") != std::string::npos || name.find("fc1_c") != std::string::npos ||
               name.find("classifier") != std::string::npos;
      };
      EXPECT_TRUE(std::ranges::any_of(head, is_scores)) << info.name;
    }
  }
}

TEST(Models, SurviveTheirFile) {
  for (const ArchitectureInfo& info : architectures()) {
    const std::string text = to_json(build_model(info.name, {}));
    EXPECT_EQ(to_json(graph_from_json(text)), text) << info.name;
  }
}

TEST(Models, ResolvedSettingsRebuildTheSameGraph) {
  const ModelOptions options{.settings = {{"width", "8"}, {"up", "nearest"}}};
  const auto resolved = resolved_settings("unet", options);
  EXPECT_EQ(resolved.at("width"), "8");
  EXPECT_EQ(resolved.at("depth"), "4");
  EXPECT_EQ(to_json(build_model("unet", {.settings = resolved})),
            to_json(build_model("unet", options)));
}

TEST(Models, MessagesTellWhatThereIs) {
  EXPECT_THAT(error_of("unte", {}), HasSubstr("there is no model \"unte\"; did you mean \"unet\"? "
                                              "there are unet, "));
  EXPECT_THAT(error_of("transformer", {}),
              testing::StartsWith("there is no model \"transformer\"; there are unet, "));
  EXPECT_EQ(error_of("unet", {.settings = {{"widht", "8"}}}),
            "model unet has no setting \"widht\"; did you mean \"width\"? it has width, depth, "
            "norm, up, align_corners, padding, dropout, aux, block");
  EXPECT_EQ(error_of("unet", {.settings = {{"width", "8.5"}}}),
            "model unet has width = \"8.5\"; expected a whole number from 1 to 1024");
  EXPECT_THAT(error_of("unet", {.settings = {{"depth", "99"}}}), HasSubstr("from 1 to 8"));
  EXPECT_THAT(error_of("unet", {.settings = {{"dropout", "nan"}}}),
              HasSubstr("expected a number from 0 to 0.95"));
  EXPECT_THAT(
      error_of("unet", {.settings = {{"up", "cubic"}}}),
      HasSubstr("up = \"cubic\"; expected transpose, transpose4, fixed, bilinear, nearest"));
  EXPECT_THAT(error_of("unet", {.settings = {{"aux", "yes"}}}), HasSubstr("true, false"));
  EXPECT_EQ(error_of("unet", {.settings = {{"up", "nearest"}, {"align_corners", "true"}}}),
            "model unet has align_corners = \"true\"; expected false with up = nearest, or "
            "up = bilinear");
  EXPECT_EQ(error_of("fcn8s", {.settings = {{"align_corners", "true"}}}),
            "model fcn8s has align_corners = \"true\"; expected false with up = transpose, or "
            "up = bilinear and bilinear_conv");
  EXPECT_THAT(error_of("deeplab_v1", {.settings = {{"up", "fixed"}, {"align_corners", "true"}}}),
              HasSubstr("expected false with up = fixed"));
  EXPECT_EQ(error_of("deeplab_v3", {.settings = {{"norm", "none"}}}),
            "model deeplab_v3 has norm = \"none\"; expected batch with backbone = mobilenet_v2: of "
            "these networks vgg16 alone works without");
  EXPECT_EQ(error_of("unet", {.classes = 0}), "a model of 0 classes; expected 1 to 65535");
  EXPECT_THAT(error_of("unet", {.input_channels = 0}), HasSubstr("0 input channels"));
}

}  // namespace
}  // namespace segmentum
