#include "model_file/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/file.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Safetensors : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("safetensors_") + test->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path path(const std::string& name = "file.safetensors") const { return folder_ / name; }

  /// A file of this header, its true length in front, and these bytes of numbers.
  fs::path file_of(const std::string& header, const std::string& numbers = "") const {
    const std::uint64_t length = header.size();
    std::string bytes(sizeof length, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    write_file(path(), bytes + header + numbers);
    return path();
  }

  /// What opening this file says, without the file's name; "opens" if it does.
  std::string complaint(const fs::path& file) const {
    try {
      SafetensorsReader reader(file);
      return "opens";
    } catch (const Error& error) {
      return std::string(error.what()).substr(file.string().size() + 2);
    }
  }

 private:
  fs::path folder_;
};

Tensor counting(const Shape& shape) {
  Tensor tensor(shape);
  float next = 0;
  for (float& value : tensor.values()) value = next++;
  return tensor;
}

TEST_F(Safetensors, WhatIsWrittenIsRead) {
  const Tensor weight = counting({2, 3, 1, 2});
  BasicTensor<double> moment({3});
  moment.values()[1] = 1.0 / 3;
  BasicTensor<std::int64_t> step{Shape{}};
  step.values()[0] = std::numeric_limits<std::int64_t>::max();
  const NamedTensor tensors[] = {
      {"enc.weight", weight.view()}, {"moment", moment.view()}, {"straße", step.view()}};
  write_safetensors(path(), tensors, {{"note", "naïve \"quoted\" 細胞"}});

  SafetensorsReader reader(path());
  EXPECT_EQ(reader.metadata().at("note"), "naïve \"quoted\" 細胞");
  EXPECT_EQ(reader.tensors().size(), 3u);
  EXPECT_EQ(reader.tensors().at("enc.weight").offset % 64, 0u);
  const Tensor read = reader.read("enc.weight");
  EXPECT_EQ(read.shape(), weight.shape());
  EXPECT_THAT(read.values(), testing::ElementsAreArray(weight.values()));
  EXPECT_EQ(reader.read_f64("moment").values()[1], 1.0 / 3);
  EXPECT_EQ(reader.read("moment").values()[1], 1.0f / 3);
  EXPECT_EQ(reader.read_i64("straße").values()[0], std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(reader.tensors().at("straße").shape.rank(), 0);
}

TEST_F(Safetensors, HalvesAreWidened) {
  // binary16: 1, -2, 65504 (largest), 2^-24 (smallest), infinity; bfloat16: 1, -2.
  const std::uint16_t halves[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x3f80, 0xc000};
  const std::string numbers(reinterpret_cast<const char*>(halves), sizeof halves);
  SafetensorsReader reader(file_of(R"({"h":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},)"
                                   R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[10,14]}})",
                                   numbers));
  EXPECT_THAT(reader.read("h").values(),
              testing::ElementsAre(1.0f, -2.0f, 65504.0f, 0x1p-24f, INFINITY));
  EXPECT_THAT(reader.read("b").values(), testing::ElementsAre(1.0f, -2.0f));
  EXPECT_THAT(reader.read_f64("b").values(), testing::ElementsAre(1.0, -2.0));
}

TEST_F(Safetensors, AskingForTheWrongTensor) {
  SafetensorsReader reader(
      file_of(R"({"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}})", "12345678"));
  try {
    reader.read("n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"n\" is of type I64, expected F32"));
  }
  EXPECT_THROW(reader.read("m"), Error);
}

TEST_F(Safetensors, FilesThatAreSomethingElse) {
  EXPECT_THAT(complaint(path("absent")), "there is no such file");
  EXPECT_THAT(complaint(path().parent_path()), "is not a file");
  write_file(path("empty"), "");
  EXPECT_THAT(complaint(path("empty")), "is not a safetensors file: it has 0 bytes");
  write_file(path("text"), "These are words, not weights.");
  EXPECT_THAT(complaint(path("text")),
              HasSubstr("is not a safetensors file: its header would take"));
}

TEST_F(Safetensors, HostileHeaders) {
  const auto says = [&](const std::string& header, const std::string& numbers = "") {
    return complaint(file_of(header, numbers));
  };
  const std::string four = "1234";
  const auto one = [](const std::string& fields) { return R"({"a":{)" + fields + "}}"; };

  EXPECT_EQ(says("{}"), "opens");
  EXPECT_THAT(says(""), HasSubstr("not JSON"));
  EXPECT_THAT(says("[]"), HasSubstr("it is a list, not an object"));
  EXPECT_THAT(says("{\"a\":"), HasSubstr("not JSON"));
  EXPECT_THAT(says("{\"\xff\":{}}"), HasSubstr("not JSON at byte"));
  EXPECT_THAT(says(R"({"a":3})"), HasSubstr("\"a\" is a number, not an object"));
  EXPECT_THAT(says(R"({"__metadata__":{"k":1}})"), HasSubstr("has a number at \"k\""));
  EXPECT_THAT(says(R"({"__metadata__":{"k":"1","k":"2"}})"), HasSubstr("\"k\" stands twice"));
  EXPECT_THAT(says(R"({"__metadata__":{},"__metadata__":{}})"), HasSubstr("stands twice"));
  EXPECT_THAT(says(one(R"("dtype":"F32")")), HasSubstr("lacks its type, shape or two offsets"));
  EXPECT_THAT(says(one(R"("dtype":"Q4","shape":[1],"data_offsets":[0,4])"), four),
              HasSubstr("unknown type \"Q4\""));
  EXPECT_THAT(says(one(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), four),
              HasSubstr("a negative number"));
  EXPECT_THAT(says(one(R"("dtype":"F32","shape":[1.0],"data_offsets":[0,4])"), four),
              HasSubstr("a fraction"));
  EXPECT_THAT(says(one(R"("dtype":"F32","shape":[1,1,1,1,1],"data_offsets":[0,4])"), four),
              HasSubstr("more than 4 axes"));
  EXPECT_THAT(says(one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])")),
              HasSubstr("too large to exist"));
  EXPECT_THAT(says(one(R"("dtype":"F32","shape":[0,18446744073709551615],"data_offsets":[0,0])")),
              HasSubstr("too large to exist"));
  EXPECT_THAT(says(one(R"("dtype":"F32","shape":[1073741824],"data_offsets":[0,4294967296])")),
              HasSubstr("of the 0 bytes"));
  EXPECT_THAT(says(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), four),
              HasSubstr("of shape 2 needs 8 bytes, its offsets are 0 to 4"));
  EXPECT_THAT(says(one(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), four),
              HasSubstr("needs 4 bytes"));
  EXPECT_THAT(says(one(R"("dtype":"F32","dtype":"F32")")), HasSubstr("two of \"dtype\""));
  EXPECT_THAT(says(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                   R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                   four),
              HasSubstr("\"a\" stands twice"));
  EXPECT_THAT(says(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                   R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                   four),
              HasSubstr("\"b\" lies at bytes 0 to 4"));
  EXPECT_THAT(says(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), four + four),
              HasSubstr("take 4 bytes but 8 follow"));
  EXPECT_THAT(says(std::string(1 << 20, '[')), HasSubstr("not an object"));
  EXPECT_THAT(says(R"({"a":{"shape":)" + std::string(1 << 20, '[')), HasSubstr("a list"));
  EXPECT_THAT(says(R"({"a":)" + std::string(1 << 20, '{')), HasSubstr("not JSON"));
}

TEST_F(Safetensors, WhatCannotBeWritten) {
  const Tensor a = counting({1});
  const NamedTensor twice[] = {{"a", a.view()}, {"a", a.view()}};
  EXPECT_THROW(write_safetensors(path(), twice), Error);
  const NamedTensor latin1[] = {
      {"stra\xdf"
       "e",
       a.view()}};
  EXPECT_THROW(write_safetensors(path(), latin1), Error);
  EXPECT_FALSE(fs::exists(path()));
}

}  // namespace
}  // namespace segmentum
