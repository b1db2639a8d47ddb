#include "graph/alignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "segmentum/error.h"

namespace segmentum {
namespace {

/// The part of VGG-16 that moves pixels, as the FCN authors have it: the picture padded by 100
/// before the first convolution, five poolings, an unpadded 7x7.
struct AuthorsNetwork {
  GraphBuilder g{"fcn"};
  ValueId image = g.input("image", {.channels = 1});
  std::vector<ValueId> pools;
  ValueId score;

  AuthorsNetwork() {
    ValueId x = g.conv("conv1", image, {.kernel = 3, .padding = 100});
    for (int i = 1; i <= 5; ++i) {
      x = g.conv("conv" + std::to_string(i) + "_2", x, {.kernel = 3, .padding = 1});
      pools.push_back(x = g.max_pool("pool" + std::to_string(i), x, {.ceil = true}));
    }
    score = g.conv("fc6", x, {.kernel = 7});
  }

  ValueId up(const std::string& name, ValueId x, int factor) {
    return g.transposed_conv(name, x, {.kernel = 2 * factor, .stride = factor});
  }
  /// Crops `skip` onto `x` and adds them; the offset is put down in `offsets`.
  ValueId fuse(const std::string& name, ValueId x, ValueId skip) {
    offsets.push_back(offset(skip, x));
    return g.add(name, x, g.crop_like(name + "c", skip, x, {.offset = offsets.back()}));
  }
  Size2 offset(ValueId from, ValueId onto) const { return aligned_offset(g.graph(), from, onto); }
  std::vector<Size2> offsets;
};

// The numbers in the authors' published nets: voc-fcn32s, voc-fcn16s, voc-fcn8s.
TEST(Alignment, OffsetsOfTheFcnAuthors) {
  AuthorsNetwork n;
  EXPECT_EQ(n.offset(n.up("upscore", n.score, 32), n.image), Size2(19));

  const ValueId fuse_pool4 = n.fuse("fuse_pool4", n.up("upscore2", n.score, 2), n.pools[3]);
  EXPECT_EQ(n.offset(n.up("upscore16", fuse_pool4, 16), n.image), Size2(27));

  const ValueId fuse_pool3 = n.fuse("fuse_pool3", n.up("upscore_pool4", fuse_pool4, 2), n.pools[2]);
  EXPECT_EQ(n.offset(n.up("upscore8", fuse_pool3, 8), n.image), Size2(31));
  EXPECT_THAT(n.offsets, testing::ElementsAre(Size2(5), Size2(9)));
}

TEST(Alignment, PlacesByHand) {
  GraphBuilder g("small");
  const ValueId image = g.input("image", {.channels = 1});
  const ValueId pool = g.max_pool("pool", image);                         // between pixels 0 and 1
  const ValueId conv = g.conv("conv", pool, {.kernel = 3, .stride = 2});  // one step of 2 further
  const ValueId dilated = g.conv("dilated", image, {.kernel = 3, .dilation = 4, .padding = 1});
  const ValueId wide = g.conv("wide", image, {.kernel = {1, 5}, .padding = {0, 1, 0, 1}});
  const ValueId resized = g.resize("resized", pool, {.scale = 2});
  const ValueId third = g.resize("third", image, {.mode = Interpolation::nearest, .scale = 3});
  const ValueId framed = g.pad("framed", image, {.margin = 7, .multiple = 16});
  const auto places = placements(g.graph());
  const auto expect = [&](ValueId value, double first, double step) {
    const auto& place = places[static_cast<std::size_t>(value)];
    ASSERT_TRUE(place);
    EXPECT_DOUBLE_EQ(place->y.first, first);
    EXPECT_DOUBLE_EQ(place->y.step, step);
  };
  expect(pool, 0.5, 2);
  expect(conv, 2.5, 4);
  expect(dilated, 3, 1);  // the middle of 9 pixels, one of which is padding
  expect(resized, 0, 1);  // half-pixel centred: exactly back
  expect(third, -1.0 / 3, 1.0 / 3);
  expect(framed, -7, 1);
  EXPECT_EQ(places[static_cast<std::size_t>(wide)]->x.first, 1);
  EXPECT_EQ(aligned_offset(g.graph(), resized, image), Size2(0));
  EXPECT_EQ(aligned_offset(g.graph(), framed, image), Size2(7));
}

TEST(Alignment, WhatDependsOnThePictureHasNoPlace) {
  GraphBuilder g("small");
  const ValueId image = g.input("image", {.channels = 1});
  const ValueId mean = g.global_average_pool("mean", image);
  const ValueId corners = g.resize("corners", image, {.align_corners = true, .scale = 2});
  const ValueId centre = g.crop_like("centre", image, mean, {.centre = true});
  const ValueId after = g.relu("after", corners);
  const auto places = placements(g.graph());
  for (ValueId value : {mean, corners, centre, after}) {
    EXPECT_FALSE(places[static_cast<std::size_t>(value)]);
  }
}

std::string error_of(const Graph& graph, ValueId from, ValueId onto) {
  try {
    aligned_offset(graph, from, onto);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Alignment, MessagesTellWhatDoesNotFit) {
  GraphBuilder g("small");
  const ValueId image = g.input("image", {.channels = 1});
  const ValueId pool = g.max_pool("pool", image);
  const ValueId half = g.conv("half", image, {.kernel = 2});
  const ValueId late = g.conv("late", image, {.kernel = 5});
  const ValueId corners = g.resize("corners", pool, {.align_corners = true, .scale = 2});
  const Graph& graph = g.graph();
  EXPECT_EQ(error_of(graph, pool, image),
            "\"pool\" cannot be cropped onto \"image\": their pixels lie 2 and 1 input pixels "
            "apart");
  EXPECT_THAT(error_of(graph, half, image), testing::HasSubstr("begin at pixel -0.5"));
  EXPECT_THAT(error_of(graph, late, image), testing::HasSubstr("begins 2 pixels too late"));
  EXPECT_THAT(error_of(graph, corners, image),
              testing::HasSubstr("where \"corners\" lies depends on the picture's size"));
}

}  // namespace
}  // namespace segmentum
