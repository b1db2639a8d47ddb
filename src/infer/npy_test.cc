#include "infer/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

fs::path file(const std::string& name) {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  return fs::path(SEGMENTUM_BINARY_DIR) / "test_files" / "npy" / test.name() / name;
}

template <typename T>
std::string bytes_of(const std::vector<T>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

/// A file of format 1 as NumPy writes it, without its padding.
std::string npy(const std::string& header, const std::string& numbers) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 0xff);
  text += static_cast<char>(header.size() >> 8);
  return text + header + numbers;
}

NpyArray read(const std::string& content) {
  write_file(file("a.npy"), content);
  return read_npy(file("a.npy"));
}

std::string complaint(const std::string& content) {
  try {
    read(content);
    return "none";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a.npy: "));
    return error.what();
  }
}

TEST(Npy, WhatIsWrittenIsRead) {
  const std::vector<float> numbers{1, -2.5f, 3, 4, 5, 6};
  write_npy(file("b.npy"), {3, 1, 2}, numbers);
  EXPECT_TRUE(is_npy_file(file("b.npy")));
  const NpyArray array = read_npy(file("b.npy"));
  EXPECT_EQ(array.shape, Shape({3, 1, 2}));
  EXPECT_EQ(array.values, numbers);
  EXPECT_FALSE(array.whole_numbers);
}

TEST(Npy, TypesOfNumbers) {
  const auto of = [](const std::string& type, const std::string& bytes) {
    return read(npy("{'descr': '" + type + "', 'fortran_order': False, 'shape': (2,), }\n", bytes));
  };
  EXPECT_THAT(of("<f8", bytes_of<double>({0.5, 7})).values, ElementsAre(0.5f, 7));
  EXPECT_THAT(of("|u1", bytes_of<std::uint8_t>({0, 255})).values, ElementsAre(0, 255));
  EXPECT_THAT(of("|b1", bytes_of<std::uint8_t>({0, 1})).values, ElementsAre(0, 1));
  EXPECT_THAT(of("<i8", bytes_of<std::int64_t>({-1, 3000})).values, ElementsAre(-1, 3000));
  EXPECT_TRUE(of("<u2", bytes_of<std::uint16_t>({1, 2})).whole_numbers);
}

// From version 2 on the header's length has four bytes.
TEST(Npy, Version2) {
  const std::string header = "{'shape': (1, 2), 'descr': '|u1', 'fortran_order': False}\n";
  std::string text("\x93NUMPY\x02\x00", 8);
  const auto length = static_cast<std::uint32_t>(header.size());
  text.append(reinterpret_cast<const char*>(&length), sizeof length);
  const NpyArray array = read(text + header + "\x05\x06");
  EXPECT_EQ(array.shape, Shape({1, 2}));
  EXPECT_THAT(array.values, ElementsAre(5, 6));
}

TEST(Npy, DamagedAndForeignFiles) {
  const auto with = [](const std::string& type, const std::string& order,
                       const std::string& shape) {
    return npy("{'descr': " + type + ", 'fortran_order': " + order + ", 'shape': " + shape + "}\n",
               std::string(16, '\0'));
  };
  EXPECT_EQ(complaint(with("'<f4'", "False", "(4,)")), "none");
  EXPECT_THAT(complaint("words"), HasSubstr("is no .npy file"));
  EXPECT_THAT(complaint(std::string("\x93NUMPY\x01\x00\xff\xff{}", 12)), HasSubstr("is cut"));
  EXPECT_THAT(complaint(with("'>f4'", "False", "(4,)")), HasSubstr("numbers are of type >f4"));
  EXPECT_THAT(complaint(with("[('a', '<f4')]", "False", "(4,)")), HasSubstr("no simple type"));
  EXPECT_THAT(complaint(with("'<f4'", "True", "(2, 2)")), HasSubstr("ascontiguousarray"));
  EXPECT_THAT(complaint(with("'<f4'", "False", "(5,)")), HasSubstr("needs more numbers"));
  EXPECT_THAT(complaint(with("'<f4'", "False", "(4294967296, 4294967296, 4)")),
              HasSubstr("needs more numbers"));
  EXPECT_THAT(complaint(with("'<f4'", "False", "(0, 4)")), HasSubstr("shape is damaged or empty"));
  EXPECT_THAT(complaint(with("'<f4'", "False", "(1,1,1,1,1)")), HasSubstr("more than four axes"));
  EXPECT_THAT(complaint(with("'<f4'", "False", "4")), HasSubstr("its shape is damaged"));
  EXPECT_THAT(complaint(npy("{}", "")), HasSubstr("its header has no 'fortran_order'"));
  EXPECT_FALSE(is_npy_file(file("absent.npy")));
}

}  // namespace
}  // namespace segmentum
