#include "interop/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "interop/file_hash.h"
#include "interop/named_classes.h"
#include "interop/testing.h"
#include "models/registry.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Settings = std::map<std::string, std::string>;

class Import : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("interop_import_") + test->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path path(const std::string& name) const { return folder_ / name; }

  /// The weights of a freshly made network, as a foreign file.
  fs::path weights(const std::string& architecture, const ModelOptions& options,
                   const std::string& name = "weights.safetensors") const {
    write_parameters(path(name), initialise(build_model(architecture, options), 5));
    return path(name);
  }

  fs::path text(const std::string& name, const std::string& content) const {
    write_file(path(name), content);
    return path(name);
  }

 private:
  fs::path folder_;
};

const Settings kSmall{{"width", "4"}, {"depth", "2"}};

ImportOptions as_unet() {
  return {.architecture = "unet", .settings = kSmall};
}

TEST_F(Import, AllThatMakesAModel) {
  const fs::path file = weights("unet", {.classes = 5, .settings = kSmall});
  const Imported imported = import_checkpoint(file, as_unet());
  EXPECT_TRUE(imported.match.fits());
  EXPECT_EQ(imported.format, "safetensors");
  EXPECT_FALSE(imported.hash_was_promised);
  const Model& model = imported.model;
  EXPECT_EQ(model.classes, numbered_classes(5));
  EXPECT_EQ(model.classes[1].colour, Rgb({128, 0, 0}));
  EXPECT_EQ(model.preprocess.mean, (std::vector<float>{0.485f, 0.456f, 0.406f}));
  EXPECT_EQ(model.preprocess.std, (std::vector<float>{0.229f, 0.224f, 0.225f}));
  EXPECT_EQ(model.settings.at("width"), "4");
  EXPECT_EQ(model.settings.at("norm"), "batch");
  EXPECT_EQ(model.provenance.at("checkpoint"), "weights.safetensors");
  EXPECT_EQ(model.provenance.at("checkpoint_sha256"), sha256_of(file));
  save_model(path("model.segmentum"), model);
  const Model loaded = load_model(path("model.segmentum"));
  const ParameterStore original =
      initialise(build_model("unet", {.classes = 5, .settings = kSmall}), 5);
  for (const auto& [name, parameter] : original.all()) {
    EXPECT_THAT(loaded.parameters.value(name).values(),
                testing::ElementsAreArray(parameter.value.values()));
  }
}

TEST_F(Import, SettingsFollowFromTheNames) {
  Settings settings = kSmall;
  settings["norm"] = "none";
  settings["up"] = "bilinear";
  const fs::path file = weights("unet", {.input_channels = 2, .classes = 1, .settings = settings});
  const Imported imported = import_checkpoint(file, as_unet());
  EXPECT_EQ(imported.found.at("norm"), "none");
  EXPECT_TRUE(imported.match.fits());
  EXPECT_TRUE(imported.model.one_class_head());
  EXPECT_EQ(imported.model.classes.size(), 2u);
  EXPECT_THAT(imported.model.preprocess.mean, ElementsAre(0.485f, 0.456f));
}

TEST_F(Import, TheEncoderFollowsFromTheNames) {
  const Settings settings{{"width", "4"}, {"encoder", "resnet50"}};
  const fs::path file = weights("smp_unet", {.classes = 3, .settings = settings});
  const Imported imported =
      import_checkpoint(file, {.architecture = "smp_unet", .settings = {{"width", "4"}}});
  EXPECT_TRUE(imported.match.fits());
  EXPECT_EQ(imported.found, (Settings{{"encoder", "resnet50"}}));
}

TEST_F(Import, AnAuxiliaryHeadOrNone) {
  for (const char* aux : {"true", "false"}) {
    const Settings settings{{"width", "2"}, {"aux", aux}};
    const fs::path file = weights("fcn_resnet50", {.classes = 21, .settings = settings});
    const Imported imported =
        import_checkpoint(file, {.architecture = "fcn_resnet50", .settings = {{"width", "2"}}});
    EXPECT_TRUE(imported.match.fits());
    EXPECT_EQ(imported.model.settings.at("aux"), aux);
    EXPECT_EQ(imported.model.classes, voc_classes());
  }
}

TEST_F(Import, AnotherNumberOfChannels) {
  const fs::path file = weights("unet", {.classes = 3, .settings = kSmall});
  ImportOptions options = as_unet();
  options.input_channels = 1;
  const Imported imported = import_checkpoint(file, options);
  EXPECT_EQ(imported.match.adapted.size(), 1u);
  EXPECT_THAT(imported.model.preprocess.mean, ElementsAre(FloatNear(0.449f, 1e-6f)));
  EXPECT_EQ(imported.model.graph.node(imported.model.graph.inputs[0]).channels, 1);
  options.mean = {0.5f};
  EXPECT_THAT(import_checkpoint(file, options).model.preprocess.mean, ElementsAre(0.5f));
  options.mean = {0.5f, 0.5f};
  EXPECT_THAT(complaint([&] { import_checkpoint(file, options); }),
              HasSubstr("are of 2 channels; the network reads 1"));
}

TEST_F(Import, StrictByDefault) {
  const fs::path file = weights("fcn32s", {.classes = 3, .settings = {{"width", "4"}}});
  try {
    import_checkpoint(file, as_unet());
    FAIL() << "an FCN is no U-Net";
  } catch (const CheckpointMismatch& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("weights.safetensors: does not fit unet: "),
                      HasSubstr("unexpected"), HasSubstr("0 fit; is it of another network?")));
    // Compared with the default network, not with whatever has the fewest names.
    const Graph graph = build_model("unet", {.classes = 3, .settings = kSmall});
    EXPECT_EQ(error.match.missing.size(), graph.parameters.size());
  }
}

TEST_F(Import, LenientTakesWhatFits) {
  const fs::path file = weights("unet", {.classes = 3, .settings = kSmall});
  ImportOptions options = as_unet();
  options.classes_file = text("names.txt", "sky\nroad\ntree\ncar\n");
  EXPECT_THAT(complaint([&] { import_checkpoint(file, options); }),
              AllOf(HasSubstr("its logits tell 3 classes apart"), HasSubstr("names 4"),
                    HasSubstr("--lenient")));
  options.lenient = true;
  const Imported imported = import_checkpoint(file, options);
  EXPECT_EQ(imported.model.classes.size(), 4u);
  ASSERT_FALSE(imported.match.misshapen.empty());
  for (const Mismatch& wrong : imported.match.misshapen)
    EXPECT_TRUE(wrong.name.starts_with("head"));
  EXPECT_EQ(imported.model.provenance.at("checkpoint_mismatch"), mismatch_counts(imported.match));
  options = {.architecture = "fcn32s", .settings = {{"width", "4"}}, .lenient = true};
  EXPECT_THAT(complaint([&] { import_checkpoint(file, options); }), HasSubstr("0 fit"));
}

TEST_F(Import, NamesOfClasses) {
  EXPECT_EQ(voc_classes().size(), 21u);
  EXPECT_EQ(voc_classes()[20], (ClassInfo{"tvmonitor", {0, 64, 128}}));
  const auto csv = text("classes.csv", "id,name,r,g,b\n1,road,1,2,3\n0,sky,4,5,6\n2,void,0,0,0\n");
  EXPECT_EQ(read_classes(csv, 2),
            (std::vector<ClassInfo>{{"sky", {4, 5, 6}}, {"road", {1, 2, 3}}}));
  EXPECT_EQ(read_classes(csv, 3).size(), 3u);
  EXPECT_EQ(read_classes(text("names.txt", "sky\nopen road\n"), 2),
            (std::vector<ClassInfo>{{"sky", {0, 0, 0}}, {"open road", {128, 0, 0}}}));
  EXPECT_THAT(complaint([&] { read_classes(text("empty.csv", "\n"), 2); }),
              HasSubstr("empty.csv: names no classes; expected"));
  const auto toml =
      text("dataset.toml",
           "root = \".\"\nchannels = 3\nmean = [0.4, 0.4, 0.4]\nstd = [0.3, 0.3, 0.3]\n"
           "[masks]\nkind = \"value\"\n"
           "[[classes]]\nname = \"a\"\ncolour = \"#010203\"\nvalues = [0]\n"
           "[[classes]]\nname = \"b\"\ncolour = \"#040506\"\nvalues = [1]\n"
           "[splits]\ntrain = []\n");
  EXPECT_EQ(read_classes(toml, 2), (std::vector<ClassInfo>{{"a", {1, 2, 3}}, {"b", {4, 5, 6}}}));
}

TEST_F(Import, UnknownNetworks) {
  const fs::path file = weights("unet", {.classes = 3, .settings = kSmall});
  EXPECT_THAT(complaint([&] { import_checkpoint(file, {.architecture = "unett"}); }),
              HasSubstr("there is no model \"unett\"; did you mean \"unet\"?"));
}

// The hash of "abc" is an example of FIPS 180-4.
TEST_F(Import, PromisedHashes) {
  const fs::path abc = text("abc-ba7816bf.pth", "abc");
  EXPECT_EQ(sha256_of(abc), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of(text("empty", "")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_TRUE(require_promised_hash(abc, sha256_of(abc)));
  EXPECT_FALSE(require_promised_hash("best.pth", sha256_of(abc)));
  // All decimal, it may count steps: kept it is a promise, not kept it is none.
  EXPECT_TRUE(require_promised_hash("a-12345678.pth", "12345678ab"));
  EXPECT_FALSE(require_promised_hash("iter-00012000.pth", sha256_of(abc)));
  const Imported steps = import_checkpoint(
      weights("unet", {.settings = kSmall}, "iter-00012000.safetensors"), as_unet());
  EXPECT_FALSE(steps.hash_was_promised);
  EXPECT_THAT(steps.notes, ElementsAre(HasSubstr("ends in 00012000, with which its SHA-256")));
  EXPECT_EQ(promised_hash("a/fcn_resnet50_coco-1167a1af.pth"), "1167a1af");
  EXPECT_EQ(promised_hash("shufflenetv2-5666bf0f80.pth"), "5666bf0f80");
  for (const char* name : {"best.pth", "unet-20240131.pth", "run-7.pth", "a-1167A1AF.pth",
                           "resnet50-finetuned.pth", "1167a1af.pth"}) {
    EXPECT_EQ(promised_hash(name), "") << name;
  }
  const fs::path file = weights("unet", {.settings = kSmall}, "unet-0000000f.safetensors");
  EXPECT_THAT(complaint([&] { import_checkpoint(file, as_unet()); }),
              AllOf(HasSubstr("its SHA-256 begins with " + sha256_of(file).substr(0, 8)),
                    HasSubstr("its name promises 0000000f: the download is incomplete")));
}

}  // namespace
}  // namespace segmentum
