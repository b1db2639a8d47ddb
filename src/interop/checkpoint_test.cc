#include "interop/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "interop/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<float> counting(float start, int count) {
  std::vector<float> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), start);
  return numbers;
}

void expect_tiny(const Checkpoint& checkpoint) {
  ASSERT_EQ(checkpoint.tensors().size(), 7u);
  const Tensor weight = checkpoint.read("conv.weight");
  EXPECT_EQ(weight.shape(), Shape({2, 3, 2, 2}));
  EXPECT_THAT(weight.values(), ElementsAreArray(counting(0, 24)));
  EXPECT_THAT(checkpoint.read("conv.bias").values(), ElementsAre(100, 101));
  EXPECT_THAT(checkpoint.read("bn.weight").values(), ElementsAre(200, 201));
  EXPECT_THAT(checkpoint.read("bn.bias").values(), ElementsAre(300, 301));
  EXPECT_THAT(checkpoint.read("bn.running_mean").values(), ElementsAre(400, 401));
  EXPECT_THAT(checkpoint.read("bn.running_var").values(), ElementsAre(500, 501));
  const CheckpointTensor& batches = checkpoint.tensors().at("bn.num_batches_tracked");
  EXPECT_EQ(batches.shape_text(), "scalar");
  EXPECT_EQ(batches.type, NumberType::i64);
}

struct Form {
  const char* file;
  const char* format;
};

class EveryForm : public testing::TestWithParam<Form> {};

TEST_P(EveryForm, HoldsTheSameTensors) {
  const Checkpoint checkpoint = read_checkpoint(golden_checkpoint(GetParam().file));
  EXPECT_EQ(checkpoint.format(), GetParam().format);
  EXPECT_THAT(checkpoint.notes(), IsEmpty());
  expect_tiny(checkpoint);
}

INSTANTIATE_TEST_SUITE_P(Checkpoint, EveryForm,
                         testing::Values(Form{"tiny_zip.pth", "zip of torch.save"},
                                         Form{"tiny_legacy.pth", "legacy stream of torch.save"},
                                         Form{"tiny_protocol3.pth", "legacy stream of torch.save"},
                                         Form{"tiny_protocol4.pth", "legacy stream of torch.save"},
                                         Form{"tiny_protocol5.pth", "legacy stream of torch.save"},
                                         Form{"tiny.safetensors", "safetensors"}),
                         [](const auto& tested) {
                           std::string name = tested.param.file;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST(Checkpoint, TrainingCheckpointsAreUnwrapped) {
  const Checkpoint checkpoint = read_checkpoint(golden_checkpoint("training_legacy.pth"));
  EXPECT_THAT(checkpoint.notes(), ElementsAre("the weights stand under \"model\"",
                                              "the prefix \"module.\" was taken off the names"));
  expect_tiny(checkpoint);
}

class Views : public testing::TestWithParam<const char*> {};

TEST_P(Views, OffsetsAndStridesAreFollowed) {
  const Checkpoint views = read_checkpoint(golden_checkpoint(GetParam()));
  const auto read = [&](const std::string& name) { return views.read(name); };
  EXPECT_THAT(read("whole").values(), ElementsAreArray(counting(0, 24)));
  EXPECT_THAT(read("tied").values(), ElementsAreArray(counting(0, 24)));
  EXPECT_THAT(read("row").values(), ElementsAreArray(counting(12, 6)));
  EXPECT_THAT(read("column").values(), ElementsAre(1, 7, 13, 19));
  EXPECT_EQ(read("transposed").shape(), Shape({6, 4}));
  EXPECT_THAT(std::span(read("transposed").values()).first(5), ElementsAre(0, 6, 12, 18, 1));
  EXPECT_THAT(read("block").values(), ElementsAre(8, 9, 10, 14, 15, 16));
  EXPECT_EQ(read("scalar").shape(), Shape());
  EXPECT_THAT(read("scalar").values(), ElementsAre(2.5f));
  EXPECT_THAT(read("parameter").values(), ElementsAre(7, 8));
  for (const char* name : {"half", "bfloat16", "double"}) {
    EXPECT_THAT(read(name).values(), ElementsAre(-1, 0, 1)) << name;
  }
}

TEST_P(Views, WhatIsNoWeightIsListedButNotRead) {
  const Checkpoint views = read_checkpoint(golden_checkpoint(GetParam()));
  const auto says = [&](const std::string& name) {
    EXPECT_TRUE(name == "absent" || views.tensors().contains(name)) << name;
    return complaint([&] { views.read(name); });
  };
  EXPECT_THAT(says("long"), HasSubstr("\"long\" holds numbers of type int64; weights are"));
  EXPECT_THAT(says("int"), HasSubstr("type int32"));
  EXPECT_THAT(says("short"), HasSubstr("type int16"));
  EXPECT_THAT(says("char"), HasSubstr("type int8"));
  EXPECT_THAT(says("byte"), HasSubstr("type uint8"));
  EXPECT_THAT(says("bool"), HasSubstr("type bool"));
  EXPECT_THAT(says("five_axes"), HasSubstr("has 5 axes; at most 4 are read"));
  EXPECT_THAT(says("expanded"), HasSubstr("repeats numbers of its storage"));
  EXPECT_THAT(says("empty"), HasSubstr("has no numbers"));
  EXPECT_THAT(says("absent"), HasSubstr("is not there"));
  EXPECT_THAT(says("absent"), StartsWith(golden_checkpoint(GetParam()).string() + ": "));
  EXPECT_EQ(views.tensors().at("five_axes").shape_text(), "1x2x1x2x1");
}

INSTANTIATE_TEST_SUITE_P(Checkpoint, Views, testing::Values("views_zip.pth", "views_legacy.pth"),
                         [](const auto& tested) { return std::string(tested.param, 9); });

std::string says(const std::string& bytes) {
  return complaint([&] { parse_checkpoint(bytes); });
}

TEST(Checkpoint, OtherFilesAreToldWhatTheyAre) {
  EXPECT_THAT(says(""), StartsWith("is empty; expected a .pth file"));
  EXPECT_THAT(says("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("Git LFS"));
  EXPECT_THAT(says("<!DOCTYPE html>"), StartsWith("is a web page"));
  EXPECT_THAT(says("\x89HDF\r\n"), StartsWith("is an HDF5 file"));
  EXPECT_THAT(says("\x1f\x8b"), StartsWith("is compressed by gzip"));
  EXPECT_THAT(says("These are words."), StartsWith("is no checkpoint; expected"));
  EXPECT_EQ(says("\x80\x02K\x01."), "is a pickle, but none of torch.save");
  const auto folder = std::filesystem::path(SEGMENTUM_SOURCE_DIR);
  EXPECT_THAT(complaint([&] { read_checkpoint(folder / "absent.pth"); }),
              HasSubstr("absent.pth: there is no such file"));
  EXPECT_THAT(complaint([&] { read_checkpoint(folder); }), HasSubstr("a folder"));
}

TEST(Checkpoint, CodeIsRefusedByName) {
  const std::string module = read_file(golden_checkpoint("module_legacy.pth"));
  EXPECT_THAT(says(module), HasSubstr("torch.nn.modules.activation.ReLU, which is refused"));
}

/// `bytes` with the first `from` turned into `to`, of the same length.
std::string with(std::string bytes, const std::string& from, const std::string& to) {
  const std::size_t at = bytes.find(from);
  EXPECT_NE(at, std::string::npos);
  EXPECT_EQ(from.size(), to.size());
  return bytes.replace(at, from.size(), to);
}

// conv.weight's BININT1 24 numbers, None, TUPLE: of its persistent id; then its offset 0 and shape.
TEST(Checkpoint, TensorsThatLeaveTheirStorage) {
  const std::string tiny = read_file(golden_checkpoint("tiny_legacy.pth"));
  using namespace std::string_literals;
  EXPECT_THAT(says(with(tiny, "QK\x00(K\x02K\x03"s, "QK\x01(K\x02K\x03"s)),
              HasSubstr("\"conv.weight\" is 2x3x2x2 from number 1 on, beyond the 24 numbers"));
  EXPECT_THAT(says(with(tiny, "(K\x02K\x03"s, "(K\x03K\x03"s)), HasSubstr("is 3x3x2x2 from"));
  EXPECT_THAT(says(with(tiny, "(K\x0cK\x04"s, "(K\xffK\x04"s)), HasSubstr("beyond the 24"));
  EXPECT_THAT(says(with(tiny, "K\x18Nt"s, "K\x19Nt"s)), HasSubstr("has 24 numbers, expected 25"));
  EXPECT_THAT(says(with(tiny, "FloatStorage", "QuantStorage")),
              HasSubstr("torch.QuantStorage, which is refused"));
  EXPECT_THAT(says(with(tiny, "bn.weight", "conv.bias")),
              HasSubstr("tensor \"conv.bias\" stands twice"));
}

TEST(Checkpoint, SizesThatCannotBe) {
  using namespace std::string_literals;
  const std::string huge = "\x8a\x08"s + raw(std::int64_t{1} << 62);
  const std::string prologue =
      "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
      "\x80\x02M\xe9\x03.\x80\x02}"s +
      pickled_text("little_endian") + "\x88s.";
  const auto file = [&](const std::string& count, const std::string& shape) {
    return prologue + "\x80\x02}"s + pickled_text("w") + "ctorch._utils\n_rebuild_tensor_v2\n((" +
           pickled_text("storage") + "ctorch\nFloatStorage\n" + pickled_text("0") +
           pickled_text("cpu") + count + "NtQK\x00"s + shape + "tRs.\x80\x02]"s +
           pickled_text("0") + "a." + raw(std::uint64_t{1}) + raw(2.5f);
  };
  EXPECT_EQ(says(file("K\x01", "))")), "none");
  EXPECT_THAT(says(file(huge, "))")),
              HasSubstr("would have 4611686018427387904 numbers, more than the file"));
  EXPECT_THAT(says(file("K\x01", huge + "\x85" + huge + "\x85")), HasSubstr("beyond the 1 number"));
  EXPECT_THAT(says(file("K\x01", huge + huge + "\x86K\x00K\x00\x86"s)), "none");  // stride 0
  std::string twenty = "(";
  for (int i = 0; i < 20; ++i) twenty += "K\x01";
  EXPECT_THAT(says(file("K\x01", twenty + "t" + twenty + "t")), HasSubstr("has 20 axes"));
  const std::string repeated = file("K\x01", huge + "\x85K\x00\x85"s);
  const Checkpoint checkpoint = parse_checkpoint(repeated);
  EXPECT_THAT(complaint([&] { checkpoint.read("w"); }), HasSubstr("repeats numbers"));
}

// PyTorch 0.3 wrote storages that are views on others: numbers 1 to 3 of four.
TEST(Checkpoint, ViewsOnStorages) {
  const auto file = std::filesystem::path(SEGMENTUM_SOURCE_DIR) / "tests/fuzz/checkpoint_corpus";
  EXPECT_THAT(read_checkpoint(file / "valid_view").read("w").values(), ElementsAre(2, 3, 4));
  EXPECT_THAT(complaint([&] { read_checkpoint(file / "view_past_end"); }),
              HasSubstr("has a view that does not lie in its storage"));
}

TEST(Checkpoint, BothWithAndWithoutPrefix) {
  const auto path = std::filesystem::path(testing::TempDir()) / "interop_twice.safetensors";
  const Tensor one({1});
  const auto written = [&](const std::vector<std::string>& names) {
    std::vector<NamedTensor> tensors;
    for (const std::string& name : names) tensors.push_back({name, one.view()});
    write_safetensors(path, tensors);
    return path;
  };
  EXPECT_THAT(complaint([&] {
                read_checkpoint(written({"model.a", "a", "model.b"}));
              }),
              HasSubstr("\"a\" stands twice, with and without the prefix \"model.\""));
  // A loss with weights of its own does not hide the prefix; wrappers may be wrapped.
  const Checkpoint kept = read_checkpoint(written({"module.model.a", "module.model.b", "loss.w"}));
  EXPECT_TRUE(kept.tensors().contains("a"));
  EXPECT_TRUE(kept.tensors().contains("loss.w"));
  std::filesystem::remove(path);
}

/// Whatever happens to the bytes, the file is read or an Error says why not.
TEST(Checkpoint, FlippedAndTruncatedBytes) {
  for (const char* name : {"tiny_zip.pth", "tiny_legacy.pth", "views_legacy.pth",
                           "training_legacy.pth", "tiny_protocol4.pth", "tiny.safetensors"}) {
    const std::string whole = read_file(golden_checkpoint(name));
    const auto attempt = [&](const std::string& bytes) {
      try {
        const Checkpoint checkpoint = parse_checkpoint(bytes);
        for (const auto& [tensor, entry] : checkpoint.tensors()) {
          if (entry.count() < 1000) complaint([&] { checkpoint.read(tensor); });
        }
        return true;
      } catch (const Error&) {
        return false;
      }
    };
    for (std::size_t cut = 0; cut < whole.size(); cut += 7) {
      EXPECT_FALSE(attempt(whole.substr(0, cut))) << name << " cut at " << cut;
    }
    for (std::size_t at = 0; at < whole.size(); at += 5) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
      attempt(bytes);
      bytes[at] = ".(]}Q)RtK\x8a"[at % 10];
      attempt(bytes);
    }
  }
}

}  // namespace
}  // namespace segmentum
