#include "interop/onnx/onnx_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "interop/onnx/onnx_numbers.h"
#include "interop/onnx/shape_arithmetic.h"
#include "interop/onnx/testing.h"
#include "interop/onnx/wire.h"
#include "interop/testing.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class OnnxFiles : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("onnx_files_") + test->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path path(const std::string& name) const { return folder_ / name; }

 private:
  fs::path folder_;
};

OnnxModel small_model() {
  OnnxModel model = onnx_model(
      3,
      {onnx_node("Relu", {"x"}, "y",
                 {attribute("a", std::int64_t{-5}), attribute("b", 0.5f), attribute("c", "text"),
                  attribute("d", std::vector<std::int64_t>{1, 300})})},
      {real_tensor("w", {2, 1}, {1.5f, -2})});
  model.metadata["key"] = "value";
  model.outputs[0].dims = std::vector<OnnxDim>{{-1, "n"}, {3, ""}};
  return model;
}

TEST_F(OnnxFiles, WhatIsWrittenIsRead) {
  EXPECT_THAT(write_onnx(path("a.onnx"), small_model()), ElementsAre(path("a.onnx")));
  const OnnxFile file(path("a.onnx"));
  const OnnxModel& model = file.model();
  EXPECT_EQ(model.ir_version, 8);
  EXPECT_EQ(model.producer, "tests");
  EXPECT_EQ(model.opsets.at(""), 17);
  EXPECT_EQ(model.metadata.at("key"), "value");
  ASSERT_EQ(model.nodes.size(), 1u);
  const OnnxNode& node = model.nodes[0];
  EXPECT_EQ(node.op, "Relu");
  EXPECT_THAT(node.inputs, ElementsAre("x"));
  EXPECT_EQ(whole_of(node, "a", 0), -5);
  EXPECT_EQ(real_of(node, "b", 0), 0.5f);
  EXPECT_EQ(text_of(node, "c", ""), "text");
  EXPECT_THAT(wholes_of(node, "d"), ElementsAre(1, 300));
  EXPECT_THAT(complaint([&] { whole_of(node, "b", 0); }), HasSubstr("of another kind"));
  EXPECT_EQ((*model.inputs[0].dims)[0].name, "n");
  EXPECT_EQ((*model.inputs[0].dims)[1].size, 3);
  std::vector<float> numbers(2);
  read_numbers(model.initializers.at(0), std::span(numbers));
  EXPECT_THAT(numbers, ElementsAre(1.5f, -2));
}

// All forms in which writers store numbers: raw, packed or one by one, 16 bits as whole numbers.
TEST(OnnxNumbers, OfEveryType) {
  const auto read = [](const OnnxTensor& tensor) {
    std::vector<double> numbers(static_cast<std::size_t>(count_of(tensor)));
    read_numbers(tensor, std::span(numbers));
    return numbers;
  };
  EXPECT_THAT(read({.type = OnnxType::f16, .dims = {2}, .wholes = {0x3c00, 0xc000}}),
              ElementsAre(1, -2));
  EXPECT_THAT(read({.type = OnnxType::bf16, .dims = {1}, .own_bytes = raw(std::uint16_t{0x3fc0})}),
              ElementsAre(1.5));
  EXPECT_THAT(read({.type = OnnxType::f64, .dims = {1}, .own_bytes = raw(0.25)}),
              ElementsAre(0.25));
  EXPECT_THAT(read({.type = OnnxType::i32, .dims = {1}, .own_bytes = raw(std::int32_t{-7})}),
              ElementsAre(-7));
  EXPECT_THAT(read({.type = OnnxType::u8, .dims = {2}, .own_bytes = "\x01\xff"}),
              ElementsAre(1, 255));
  EXPECT_THAT(read({.type = OnnxType::i64, .dims = {}, .wholes = {3}}), ElementsAre(3));
  EXPECT_THAT(complaint([&] { read({.name = "w", .dims = {3}, .own_bytes = raw(1.0f)}); }),
              HasSubstr("tensor \"w\" is of 3 numbers; 1 are stored"));
  EXPECT_THAT(complaint([&] { read({.type = OnnxType::text, .dims = {1}, .wholes = {3}}); }),
              HasSubstr("of type 8, which are not read"));
  EXPECT_THAT(complaint([&] { read({.dims = {-1}}); }), HasSubstr("axes that cannot be"));
  EXPECT_THAT(complaint([&] {
                count_of({.dims = {1 << 30, 1 << 30}});
              }),
              HasSubstr("axes that cannot be"));
}

TEST(OnnxParser, FloatsOneByOneAndInParts) {
  WireWriter tensor;
  tensor.whole(1, 3);
  tensor.whole(2, 1);
  tensor.real(4, 1);
  tensor.text(4, raw(2.0f) + raw(3.0f));
  WireWriter graph, opset, model;
  graph.message(5, std::move(tensor));
  opset.whole(2, 13);
  model.message(7, std::move(graph));
  model.message(8, std::move(opset));
  std::string bytes;
  for (const std::string_view piece : model.pieces()) bytes += piece;
  const OnnxModel parsed = parse_onnx(bytes);
  std::vector<float> numbers(3);
  read_numbers(parsed.initializers.at(0), std::span(numbers));
  EXPECT_THAT(numbers, ElementsAre(1, 2, 3));
}

TEST(OnnxParser, RefusesWhatIsNone) {
  EXPECT_THAT(complaint([] { parse_onnx(""); }), HasSubstr("is no ONNX model: it holds no graph"));
  EXPECT_THAT(complaint([] { parse_onnx("PK\x03\x04 a zip file"); }), HasSubstr("is"));
  EXPECT_THAT(complaint([] { parse_onnx(std::string_view("\x3a\x00", 2)); }),
              HasSubstr("names no operator set"));
  // Two bytes ask for a node each.
  std::string graph;
  for (int i = 0; i < 600000; ++i) graph += std::string("\x0a\x00", 2);
  WireWriter model;
  model.text(7, graph);
  std::string bytes;
  for (const std::string_view piece : model.pieces()) bytes += piece;
  EXPECT_THAT(complaint([&] { parse_onnx(bytes); }), HasSubstr("no network needs them"));
}

// Every cut is told; no cut crashes.
TEST_F(OnnxFiles, CutShort) {
  write_onnx(path("whole.onnx"), small_model());
  const std::string bytes = read_file(path("whole.onnx"));
  int refused = 0;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    if (complaint([&] { parse_onnx(std::string_view(bytes).substr(0, length)); }) != "none") {
      ++refused;
    }
  }
  EXPECT_GT(refused, static_cast<int>(bytes.size()) * 9 / 10);  // metadata at the end may be absent
  write_file(path("cut.onnx"), std::string_view(bytes).substr(0, 40));
  EXPECT_THAT(complaint([&] { OnnxFile file(path("cut.onnx")); }),
              AllOf(HasSubstr("cut.onnx: is cut short"), Not(HasSubstr("\n"))));
}

OnnxModel model_with_large_tensor() {
  OnnxModel model = small_model();
  model.initializers.push_back(real_tensor("large", {2000}, std::vector<float>(2000, 0.5f)));
  model.initializers.push_back(real_tensor("larger", {3000}, std::vector<float>(3000, 2)));
  return model;
}

TEST_F(OnnxFiles, NumbersBeyondTheLimitGoToAFileOfTheirOwn) {
  EXPECT_THAT(write_onnx(path("a.onnx"), model_with_large_tensor(), 4000),
              ElementsAre(path("a.onnx"), path("a.onnx.data")));
  EXPECT_LT(fs::file_size(path("a.onnx")), 1000u);
  EXPECT_EQ(fs::file_size(path("a.onnx.data")) % 4096, 0u);
  const OnnxFile file(path("a.onnx"));
  EXPECT_EQ(file.model().initializers.at(2).external->offset, 8192u);
  std::vector<float> numbers(3000);
  read_numbers(file.model().initializers.at(2), std::span(numbers));
  EXPECT_THAT(numbers, testing::Each(2.0f));
  fs::resize_file(path("a.onnx.data"), 9000);
  EXPECT_THAT(complaint([&] { OnnxFile cut(path("a.onnx")); }),
              HasSubstr("tensor \"larger\" lies beyond the end of \"a.onnx.data\""));
  fs::remove(path("a.onnx.data"));
  EXPECT_THAT(complaint([&] { OnnxFile alone(path("a.onnx")); }),
              HasSubstr("\"a.onnx.data\", which is not there; it belongs beside the model"));
}

// A file may name any path; only those inside of its folder are opened.
TEST_F(OnnxFiles, NumbersElsewhereAreRefused) {
  const auto refusal = [&](const std::string& location) {
    OnnxModel model = small_model();
    model.initializers[0].external = {location, 0, 8};
    write_onnx(path("a.onnx"), model);
    return complaint([&] { OnnxFile file(path("a.onnx")); });
  };
  for (const char* elsewhere : {"/etc/passwd", "../secret", "in/../../secret", ".."}) {
    EXPECT_THAT(refusal(elsewhere), HasSubstr("does not lie in the model's folder")) << elsewhere;
  }
  fs::create_symlink("/etc/hostname", path("link"));
  EXPECT_THAT(refusal("link"), HasSubstr("is a link that leaves the model's folder"));
  fs::create_directories(path("folder"));
  EXPECT_THAT(refusal("folder"), HasSubstr("is no file of bytes"));
  EXPECT_THAT(refusal(""), HasSubstr("is no name of a file"));
  EXPECT_THAT(refusal(std::string("a\0b", 3)), HasSubstr("is no name of a file"));
}

}  // namespace
}  // namespace segmentum
