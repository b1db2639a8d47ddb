// ImageNet classifiers as backbones, and other names than ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "interop/import.h"
#include "interop/named_classes.h"
#include "interop/testing.h"
#include "models/registry.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;
using Settings = std::map<std::string, std::string>;
using Tensors = std::map<std::string, Tensor>;

/// Weights that differ from tensor to tensor, statistics too.
Tensors random_weights(const std::string& architecture, const ModelOptions& options) {
  Tensors tensors;
  float next = 0;
  for (const ParameterSpec& spec : build_model(architecture, options).parameters) {
    Tensor tensor(spec.shape);
    for (float& number : tensor.values()) number = 1 + std::fmod(next += 0.37f, 1.0f);
    tensors.insert_or_assign(spec.name, std::move(tensor));
  }
  return tensors;
}

/// Those that begin with `from`, which becomes `to`.
Tensors renamed(Tensors tensors, const std::string& from, const std::string& to) {
  Tensors result;
  for (auto& [name, tensor] : tensors) {
    if (name.starts_with(from)) result.emplace(to + name.substr(from.size()), std::move(tensor));
  }
  return result;
}

/// With the counts of batches that PyTorch writes, whole numbers.
void write_checkpoint(const fs::path& path, const Tensors& tensors) {
  const BasicTensor<std::int64_t> count({1});
  std::vector<NamedTensor> named;
  for (const auto& [name, tensor] : tensors) {
    named.push_back({name, tensor.view()});
    constexpr std::string_view kMean = "running_mean";
    if (name.ends_with(kMean)) {
      named.push_back(
          {name.substr(0, name.size() - kMean.size()) + "num_batches_tracked", count.view()});
    }
  }
  write_safetensors(path, named);
}

void add_layer(Tensors& tensors, const std::string& name, const Shape& shape) {
  tensors.emplace(name + ".weight", Tensor(shape));
  tensors.emplace(name + ".bias", Tensor({shape[0]}));
}

class BackboneImport : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    std::ranges::replace(name, '/', '_');
    folder_ = fs::path(testing::TempDir()) / ("interop_backbone_" + name);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file(const Tensors& tensors, const std::string& name = "net.safetensors") const {
    write_checkpoint(folder_ / name, tensors);
    return folder_ / name;
  }

  const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
};

Tensors resnet(const std::string& layers, const std::string& width = "2") {
  Tensors tensors =
      renamed(random_weights("deeplab_v3",
                             {.settings = {{"backbone", "resnet" + layers}, {"width", width}}}),
              "backbone.", "");
  add_layer(tensors, "fc", {10, 16});
  return tensors;
}

Tensors mobilenet_v2() {
  Tensors tensors = renamed(
      random_weights("deeplab_v3", {.settings = {{"backbone", "mobilenet_v2"}, {"width", "8"}}}),
      "backbone.", "");
  tensors.emplace("features.18.0.weight", Tensor({1280, 80, 1, 1}));
  add_layer(tensors, "features.18.1", {1280});
  add_layer(tensors, "classifier.1", {10, 1280});
  return tensors;
}

Tensors mobilenet_v3() {
  Tensors tensors =
      renamed(random_weights("lraspp_mobilenet_v3_large", {.settings = {{"width", "8"}}}),
              "backbone.", "features.");
  add_layer(tensors, "classifier.0", {16, 480});
  add_layer(tensors, "classifier.3", {10, 16});
  return tensors;
}

Tensors vgg16(const std::string& norm) {
  Tensors tensors = renamed(
      random_weights("deeplab_v1",
                     {.settings = {{"width", "2"}, {"names", "torchvision"}, {"norm", norm}}}),
      "features.", "features.");
  for (const char* name : {"classifier.0", "classifier.3", "classifier.6"}) {
    add_layer(tensors, name, {16, 16});
  }
  return tensors;
}

struct Case {
  const char* architecture;
  Settings settings;
  Tensors (*classifier)();
  const char* prefix;        // of the network's names
  const char* their_prefix;  // the same names in the classifier
};

class EveryNetwork : public BackboneImport, public testing::WithParamInterface<Case> {};

TEST_P(EveryNetwork, TakesTheBackboneAlone) {
  const auto& [architecture, settings, classifier, prefix, their_prefix] = GetParam();
  const Tensors theirs = classifier();
  const Imported imported =
      import_checkpoint(file(theirs), {.architecture = architecture, .settings = settings});
  const Match& match = imported.match;
  EXPECT_TRUE(match.fits());
  EXPECT_TRUE(match.backbone_alone);
  EXPECT_EQ(match.taken.size() + match.left.size(), theirs.size());
  EXPECT_THAT(match.left, Not(IsEmpty()));
  EXPECT_THAT(match.taken, Each(StartsWith(prefix)));
  EXPECT_THAT(match.beyond_backbone, AllOf(Not(IsEmpty()), Each(Not(StartsWith(prefix)))));
  for (const std::string& name : match.taken) {
    const std::string called = their_prefix + name.substr(std::string(prefix).size());
    EXPECT_THAT(imported.model.parameters.value(name).values(),
                ElementsAreArray(theirs.at(called).values()))
        << name;
  }
  EXPECT_EQ(imported.model.classes, numbered_classes(21));
  EXPECT_THAT(imported.model.provenance.at("checkpoint_use"),
              StartsWith("the backbone alone, from a "));
  EXPECT_FALSE(imported.model.provenance.contains("checkpoint_mismatch"));
}

Tensors resnet18() {
  return resnet("18");
}
Tensors resnet34() {
  return resnet("34");
}
Tensors resnet50() {
  return resnet("50");
}
Tensors resnet101() {
  return resnet("101");
}
Tensors vgg16_bn() {
  return vgg16("batch");
}
Tensors vgg16_plain() {
  return vgg16("none");
}

const Settings kTwo{{"width", "2"}}, kEight{{"width", "8"}};

INSTANTIATE_TEST_SUITE_P(
    Published, EveryNetwork,
    testing::Values(
        Case{"deeplab_v1",
             {{"width", "2"}, {"names", "torchvision"}},
             vgg16_bn,
             "features.",
             "features."},
        Case{"deeplab_v1",
             {{"width", "2"}, {"names", "torchvision"}},
             vgg16_plain,
             "features.",
             "features."},
        Case{"deeplab_v2", kTwo, resnet101, "backbone.", ""},
        Case{"deeplab_v2", kEight, mobilenet_v2, "backbone.", ""},
        Case{"deeplab_v3", kTwo, resnet18, "backbone.", ""},
        Case{"deeplab_v3", kTwo, vgg16_bn, "backbone.", ""},
        Case{"deeplab_v3plus", kTwo, resnet34, "backbone.", ""},
        Case{"deeplab_v3", kTwo, vgg16_plain, "backbone.", ""},
        Case{"deeplab_v3plus", kEight, mobilenet_v2, "backbone.", ""},
        Case{"deeplab_v3plus", kEight, mobilenet_v3, "backbone.", "features."},
        Case{"fcn_resnet50", kTwo, resnet50, "backbone.", ""},
        Case{"fcn_resnet101", kTwo, resnet101, "backbone.", ""},
        Case{"deeplabv3_resnet50", kTwo, resnet50, "backbone.", ""},
        Case{"deeplabv3_resnet101", kTwo, resnet101, "backbone.", ""},
        Case{"deeplabv3_mobilenet_v3_large", kEight, mobilenet_v3, "backbone.", "features."},
        Case{"lraspp_mobilenet_v3_large", kEight, mobilenet_v3, "backbone.", "features."},
        Case{"smp_unet", kTwo, resnet18, "encoder.", ""},
        Case{"smp_deeplabv3", kTwo, resnet34, "encoder.", ""},
        Case{"smp_deeplabv3plus", kTwo, resnet50, "encoder.", ""},
        Case{"hypercolumn", kTwo, vgg16_plain, "backbone.", ""},
        Case{"hypercolumn", kEight, mobilenet_v3, "backbone.", "features."},
        Case{"hypercolumn_boxes", kTwo, resnet18, "backbone.", ""}),
    [](const auto& test) {
      return std::string(test.param.architecture) + "_" + std::to_string(test.index);
    });

// conv3_1 is the fifth convolution. torchvision's vgg16_bn counts conv, norm and ReLU of four
// layers and two poolings before it: 14; vgg16 has no norms: 10.
TEST_F(BackboneImport, VggUnderThePapersNames) {
  const Tensors theirs = vgg16_bn();
  for (const char* architecture : {"fcn32s", "fcn16s", "fcn8s", "deeplab_v1", "deeplab_v2"}) {
    const Imported imported =
        import_checkpoint(file(theirs), {.architecture = architecture, .settings = kTwo});
    EXPECT_TRUE(imported.match.fits()) << architecture;
    EXPECT_EQ(imported.match.taken.size(), 13u * 5);
    const ParameterStore& ours = imported.model.parameters;
    const auto equal = [&](const char* our_name, const char* their_name) {
      EXPECT_THAT(ours.value(our_name).values(), ElementsAreArray(theirs.at(their_name).values()));
    };
    equal("conv3_1.weight", "features.14.weight");
    equal("bn3_1.weight", "features.15.weight");
    equal("bn3_1.running_var", "features.15.running_var");
    // Our convolution has no bias: (x + b - mean) is (x - (mean - b)).
    EXPECT_FALSE(ours.contains("conv3_1.bias"));
    const float bias = theirs.at("features.14.bias").data()[1];
    EXPECT_EQ(ours.value("bn3_1.running_mean").data()[1],
              theirs.at("features.15.running_mean").data()[1] - bias);
  }
  const Tensors plain = vgg16_plain();
  const Imported imported =
      import_checkpoint(file(plain), {.architecture = "fcn8s", .settings = kTwo});
  EXPECT_EQ(imported.found, (Settings{{"norm", "none"}}));
  EXPECT_EQ(imported.match.taken.size(), 13u * 2);
  EXPECT_THAT(imported.model.parameters.value("conv3_1.bias").values(),
              ElementsAreArray(plain.at("features.10.bias").values()));
}

TEST_F(BackboneImport, AllOfTheBackboneOrLenient) {
  Tensors theirs = resnet18();
  theirs.erase("layer4.1.bn2.bias");
  ImportOptions options{.architecture = "deeplab_v3", .settings = kTwo};
  EXPECT_THAT(complaint([&] { import_checkpoint(file(theirs), options); }),
              AllOf(HasSubstr("1 missing, 0 unexpected, 0 misshapen, "), HasSubstr("--lenient")));
  options.lenient = true;
  const Imported imported = import_checkpoint(file(theirs), options);
  EXPECT_EQ(imported.found, (Settings{{"backbone", "resnet18"}}));
  ASSERT_EQ(imported.match.missing.size(), 1u);
  EXPECT_EQ(imported.match.missing[0].name, "backbone.layer4.1.bn2.bias");
  // A ResNet-34 is more than a ResNet-18.
  options = {.architecture = "deeplab_v3", .settings = {{"backbone", "resnet18"}, {"width", "2"}}};
  EXPECT_THAT(complaint([&] { import_checkpoint(file(resnet34()), options); }),
              HasSubstr("0 missing, 80 unexpected, 0 misshapen, 100 fit"));
  EXPECT_THAT(complaint([&] { import_checkpoint(file(resnet18()), {.architecture = "unet"}); }),
              HasSubstr("0 fit; it is a ResNet classifier, and unet has no such backbone"));
}

TEST_F(BackboneImport, GreyPictures) {
  const Imported imported = import_checkpoint(
      file(resnet18()), {.architecture = "smp_unet", .settings = kTwo, .input_channels = 1});
  EXPECT_THAT(imported.match.adapted, ElementsAre("encoder.conv1.weight"));
  EXPECT_TRUE(imported.match.fits());
}

TEST_F(BackboneImport, TheFirstConvolutionTellsTheWidth) {
  ImportOptions options{.architecture = "deeplab_v1"};
  EXPECT_THAT(complaint([&] { import_checkpoint(file(vgg16_bn()), options); }),
              HasSubstr("its first convolution has 2 channels: try --set width=2"));
  options = {.architecture = "smp_unet", .lenient = true};
  EXPECT_THAT(complaint([&] { import_checkpoint(file(resnet("18", "8")), options); }),
              HasSubstr("try --set width=8"));
  const Tensors whole = random_weights("unet", {.settings = {{"width", "8"}, {"depth", "2"}}});
  options = {.architecture = "unet", .settings = {{"depth", "2"}}};
  EXPECT_THAT(complaint([&] { import_checkpoint(file(whole), options); }),
              HasSubstr("try --set width=8"));
}

// Fewer missing names are no reason for a network without its pyramid.
TEST_F(BackboneImport, LenientKeepsTheNetwork) {
  const Tensors backbone = renamed(
      random_weights("deeplab_v3plus", {.settings = {{"backbone", "resnet18"}, {"width", "2"}}}),
      "backbone.", "backbone.");
  ImportOptions options{.architecture = "deeplab_v3plus", .settings = kTwo};
  EXPECT_THAT(complaint([&] { import_checkpoint(file(backbone), options); }),
              HasSubstr("--lenient takes what fits"));
  options.lenient = true;
  const Imported imported = import_checkpoint(file(backbone), options);
  EXPECT_EQ(imported.found, (Settings{{"backbone", "resnet18"}}));
  EXPECT_EQ(imported.model.settings.at("rates"), "6-12-18");
  EXPECT_EQ(imported.model.settings.at("image_pooling"), "true");
  EXPECT_EQ(imported.match.taken.size(), backbone.size());
  EXPECT_FALSE(imported.match.backbone_alone);
}

// Two settings that only together leave nothing out; one tensor too many must not hide it.
TEST_F(BackboneImport, ASmallerNetworkThatIsFilled) {
  Tensors whole = random_weights(
      "deeplab_v3",
      {.classes = 3,
       .settings = {
           {"width", "8"}, {"aspp_channels", "4"}, {"rates", "none"}, {"image_pooling", "false"}}});
  ImportOptions options{.architecture = "deeplab_v3",
                        .settings = {{"width", "8"}, {"aspp_channels", "4"}}};
  const Settings expected{{"image_pooling", "false"}, {"rates", "none"}};
  EXPECT_EQ(import_checkpoint(file(whole), options).found, expected);
  whole.emplace("step", Tensor({1}));
  options.lenient = true;
  EXPECT_EQ(import_checkpoint(file(whole), options).found, expected);
}

TEST_F(BackboneImport, OlderNamesOfSmpsDeepLabV3) {
  const ModelOptions network{.classes = 3, .settings = kTwo};
  const Tensors whole = random_weights("smp_deeplabv3", network);
  Tensors older = renamed(random_weights("smp_deeplabv3", network), "encoder.", "encoder.");
  for (const auto& [now, then] : {std::pair{"decoder.aspp.", "decoder.0."},
                                  {"decoder.conv.", "decoder.1."},
                                  {"decoder.bn.", "decoder.2."},
                                  {"segmentation_head.", "segmentation_head."}}) {
    older.merge(renamed(random_weights("smp_deeplabv3", network), now, then));
  }
  ASSERT_EQ(older.size(), whole.size());
  const Imported imported =
      import_checkpoint(file(older), {.architecture = "smp_deeplabv3", .settings = kTwo});
  EXPECT_TRUE(imported.match.fits());
  EXPECT_FALSE(imported.match.backbone_alone);
  EXPECT_EQ(imported.model.classes.size(), 3u);
  for (const auto& [name, tensor] : whole) {
    EXPECT_THAT(imported.model.parameters.value(name).values(), ElementsAreArray(tensor.values()));
  }
}

// 21 classes of a random head are not VOC's.
TEST_F(BackboneImport, OnlyAHeadFromTheFileHasItsClasses) {
  Tensors tensors = random_weights("fcn_resnet50",
                                   {.classes = 21, .settings = {{"width", "2"}, {"aux", "false"}}});
  const ImportOptions options{.architecture = "fcn_resnet50", .settings = kTwo, .lenient = true};
  EXPECT_EQ(import_checkpoint(file(tensors), options).model.classes, voc_classes());
  tensors.erase("classifier.4.weight");
  const Imported imported = import_checkpoint(file(tensors), options);
  EXPECT_EQ(imported.model.classes, numbered_classes(21));
  EXPECT_THAT(imported.classes_from, HasSubstr("numbers"));
}

}  // namespace
}  // namespace segmentum
