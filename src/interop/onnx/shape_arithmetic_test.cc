#include "interop/onnx/shape_arithmetic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "interop/onnx/testing.h"
#include "interop/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Numbers = std::vector<double>;

Array wholes(Numbers numbers, std::vector<std::int64_t> dims) {
  return {std::move(dims), true, std::move(numbers)};
}
Array list(const Numbers& numbers) {
  return wholes(numbers, {static_cast<std::int64_t>(numbers.size())});
}
Array reals(const Numbers& numbers) {
  return {{static_cast<std::int64_t>(numbers.size())}, false, numbers};
}

Array made(const std::string& op, const std::vector<Array>& inputs,
           std::vector<OnnxAttribute> attributes = {}) {
  std::vector<const Array*> pointers;
  for (const Array& input : inputs) pointers.push_back(&input);
  return evaluate(onnx_node(op, {}, "y", std::move(attributes)), pointers);
}

Numbers of(const std::string& op, const std::vector<Array>& inputs,
           std::vector<OnnxAttribute> attributes = {}) {
  return made(op, inputs, std::move(attributes)).numbers;
}

TEST(ShapeArithmetic, WholeNumbersDivideDownToZero) {
  EXPECT_EQ(of("Add", {list({1, 2}), list({10})}), (Numbers{11, 12}));
  EXPECT_EQ(of("Div", {list({7, -7}), list({2})}), (Numbers{3, -3}));
  EXPECT_EQ(of("Mod", {list({7, -7}), list({4})}), (Numbers{3, 1}));
  EXPECT_EQ(of("Mod", {list({-7}), list({4})}, {attribute("fmod", std::int64_t{1})}),
            (Numbers{-3}));
  EXPECT_THAT(complaint([] { of("Div", {list({1}), list({0})}); }), HasSubstr("by 0"));
}

TEST(ShapeArithmetic, RealsRoundAs32Bits) {
  EXPECT_EQ(of("Mul", {reals({0.1}), reals({3})}),
            (Numbers{static_cast<double>(static_cast<float>(0.1f * 3.0f))}));
  EXPECT_EQ(of("Floor", {reals({2.7})}), (Numbers{2}));
  EXPECT_EQ(of("Round", {reals({2.5, 3.5})}), (Numbers{2, 4}));
  EXPECT_EQ(of("Cast", {reals({2.7, -2.7})}, {attribute("to", std::int64_t{7})}), (Numbers{2, -2}));
  EXPECT_THAT(complaint([] {
                const double nan = std::numeric_limits<double>::quiet_NaN();
                of("Cast", {reals({nan})}, {attribute("to", std::int64_t{7})});
              }),
              HasSubstr("not finite"));
}

TEST(ShapeArithmetic, ComparesAndChooses) {
  EXPECT_EQ(of("Less", {list({1, 2, 3}), list({2})}), (Numbers{1, 0, 0}));
  EXPECT_EQ(of("Where", {list({1, 0}), list({5, 6}), list({7, 8})}), (Numbers{5, 8}));
  EXPECT_EQ(of("Not", {list({0, 1})}), (Numbers{1, 0}));
  EXPECT_EQ(of("Max", {list({1, 5}), list({3})}), (Numbers{3, 5}));
}

TEST(ShapeArithmetic, AxesComeAndGo) {
  const Array plane = wholes({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_THAT(made("Shape", {plane}).numbers, ElementsAre(2, 3));
  EXPECT_EQ(made("Size", {plane}).numbers, (Numbers{6}));
  EXPECT_EQ(of("Transpose", {plane}), (Numbers{1, 4, 2, 5, 3, 6}));
  EXPECT_THAT(made("Reshape", {plane, list({0, -1, 1})}).dims, ElementsAre(2, 3, 1));
  EXPECT_THAT(made("Unsqueeze", {plane, list({0, -1})}).dims, ElementsAre(1, 2, 3, 1));
  EXPECT_THAT(made("Squeeze", {wholes({1}, {1, 1})}).dims, ElementsAre());
  EXPECT_THAT(made("Flatten", {wholes(Numbers(8), {2, 2, 2})}).dims, ElementsAre(2, 4));
  EXPECT_THAT(complaint([&] {
                made("Reshape", {plane, list({4, -1})});
              }),
              HasSubstr("cannot deal 6 numbers out over 4"));
}

TEST(ShapeArithmetic, PartsOfArrays) {
  const Array line = list({10, 11, 12, 13, 14});
  EXPECT_EQ(of("Gather", {line, list({-1, 0})}), (Numbers{14, 10}));
  EXPECT_THAT(made("Gather", {line, wholes({2}, {})}).dims, ElementsAre());
  EXPECT_EQ(
      of("Gather", {wholes({1, 2, 3, 4}, {2, 2}), list({1})}, {attribute("axis", std::int64_t{1})}),
      (Numbers{2, 4}));
  EXPECT_EQ(of("Slice", {line, list({1}), list({1e19}), list({0}), list({2})}), (Numbers{11, 13}));
  EXPECT_EQ(of("Slice", {line, list({-1}), list({-1e19}), list({0}), list({-2})}),
            (Numbers{14, 12, 10}));
  EXPECT_EQ(of("Concat", {list({1}), list({2, 3})}, {attribute("axis", std::int64_t{0})}),
            (Numbers{1, 2, 3}));
  EXPECT_EQ(of("Concat", {wholes({1, 2}, {2, 1}), wholes({3, 4}, {2, 1})},
               {attribute("axis", std::int64_t{-1})}),
            (Numbers{1, 3, 2, 4}));
  EXPECT_THAT(complaint([&] { of("Gather", {line, list({5})}); }), HasSubstr("number 5 of 5"));
}

TEST(ShapeArithmetic, NewArrays) {
  EXPECT_EQ(of("Range", {wholes({2}, {}), wholes({7}, {}), wholes({2}, {})}), (Numbers{2, 4, 6}));
  EXPECT_EQ(of("ConstantOfShape", {list({3})}), (Numbers{0, 0, 0}));
  EXPECT_EQ(of("Expand", {list({7}), list({2, 2})}), (Numbers{7, 7, 7, 7}));
  EXPECT_EQ(of("ReduceProd", {list({2, 3, 4})}, {attribute("keepdims", std::int64_t{0})}),
            (Numbers{24}));
  EXPECT_EQ(of("ReduceSum", {wholes({1, 2, 3, 4}, {2, 2}), list({0})}), (Numbers{4, 6}));
}

// What a few bytes of a file ask for stays small.
TEST(ShapeArithmetic, NothingGrowsWithoutBound) {
  for (const auto& call : std::vector<std::function<void()>>{
           [] {
             of("ConstantOfShape", {list({1e9, 1e9})});
           },
           [] {
             of("Range", {wholes({0}, {}), wholes({1e18}, {}), wholes({1}, {})});
           },
           [] {
             of("Expand", {list({7}), list({4096, 8192})});
           }}) {
    EXPECT_THAT(complaint(call), HasSubstr("more than 2^24 numbers"));
  }
}

TEST(ShapeArithmetic, IndicesBeyond64BitsMeanToTheEnd) {
  EXPECT_EQ(as_index(9.3e18), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(as_index(-9.3e18), std::numeric_limits<std::int64_t>::min());
  const SliceRange all = slice_range(5, 0, std::numeric_limits<std::int64_t>::max(), 1);
  EXPECT_EQ(all.begin, 0);
  EXPECT_EQ(all.count, 5);
  EXPECT_EQ(slice_range(5, -2, 5, 1).begin, 3);
  EXPECT_EQ(slice_range(5, 4, 1, 1).count, 0);
  EXPECT_THAT(complaint([] { slice_range(5, 0, 5, 0); }), HasSubstr("steps by 0"));
}

}  // namespace
}  // namespace segmentum
