#include "annotations/polygon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "data/testing.h"

namespace segmentum {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The pixels of a picture drawn in letters: '#' is inside.
Region drawn(std::initializer_list<const char*> rows) {
  std::vector<Span> spans;
  int y = 0;
  for (const char* row : rows) {
    for (int x = 0; row[x] != '\0'; ++x) {
      if (row[x] == '#') spans.push_back({y, x, x + 1});
    }
    ++y;
  }
  return region_of(std::move(spans));
}

Region filled_again(const std::vector<Outline>& outlines, int height, int width) {
  Polygon polygon;
  for (const Outline& outline : outlines) {
    polygon.push_back(outline.outer);
    polygon.insert(polygon.end(), outline.holes.begin(), outline.holes.end());
  }
  return fill_polygon(polygon, height, width);
}

/// The area in pixels, positive for rings that turn from the x axis towards the y axis.
double signed_area(const Ring& ring) {
  double twice = 0;
  for (std::size_t i = 0; i < ring.size(); ++i) {
    const Point &a = ring[i], &b = ring[(i + 1) % ring.size()];
    twice += a.x * b.y - b.x * a.y;
  }
  return twice / 2;
}

TEST(FillPolygon, ARectangleOnPixelEdgesCoversThePixelsBetween) {
  // COCO's corners lie between pixels: x from 1 to 4 are the pixels 1, 2, 3.
  EXPECT_EQ(fill_polygon({rectangle(1, 1, 4, 3)}, 5, 6), drawn({"......", ".###..", ".###.."}));
}

TEST(FillPolygon, HalfAPixelDecidesByItsCentre) {
  EXPECT_EQ(fill_polygon({rectangle(0.4, 0.6, 2.6, 1.6)}, 3, 4), drawn({"....", "###."}));
  // Edges through centres: the left and upper ones belong to it, the right and lower ones do not.
  EXPECT_EQ(fill_polygon({rectangle(0.5, 0.5, 2.5, 1.5)}, 3, 4), drawn({"##.."}));
}

TEST(FillPolygon, ATriangleCountedByHand) {
  // Centres (x + 1/2, y + 1/2) with x + y + 1 < 4: four rows of 3, 2, 1 and 0; those on the slanted
  // edge, a right one, are outside.
  EXPECT_EQ(fill_polygon({{{0, 0}, {4, 0}, {0, 4}}}, 4, 4), drawn({"###.", "##..", "#..."}));
  // Its mirror image takes the centres on the same line, which is a left edge now.
  EXPECT_EQ(fill_polygon({{{4, 0}, {4, 4}, {0, 4}}}, 4, 4),
            drawn({"...#", "..##", ".###", "####"}));
}

TEST(FillPolygon, NeighboursShareEveryPixelOnce) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> place(0, 20);
  for (int i = 0; i < 50; ++i) {
    const Point a{0, 0}, b{20, 0}, c{20, 20}, d{0, 20}, inner{place(random), place(random)};
    std::int64_t pixels = 0;
    std::vector<Span> all;
    for (const auto& [p, q] : {std::pair{a, b}, {b, c}, {c, d}, {d, a}}) {
      const Region part = fill_polygon({{p, q, inner}}, 20, 20);
      pixels += pixel_count(part);
      all.insert(all.end(), part.begin(), part.end());
    }
    EXPECT_EQ(pixels, 400);
    EXPECT_EQ(pixel_count(region_of(all)), 400);
  }
}

TEST(FillPolygon, RingsInRingsAreHoles) {
  EXPECT_EQ(
      fill_polygon({rectangle(0, 0, 5, 5), rectangle(1, 1, 4, 4), rectangle(2, 2, 3, 3)}, 5, 5),
      drawn({"#####", "#...#", "#.#.#", "#...#", "#####"}));
}

TEST(FillPolygon, ABowTieIsItsTwoTriangles) {
  // Centres on the slanted edges: inside on the right triangle's left edges, outside on the left's.
  EXPECT_EQ(fill_polygon({{{0, 0}, {4, 4}, {4, 0}, {0, 4}}}, 4, 4),
            drawn({"...#", "#.##", "#.##", "...#"}));
}

TEST(FillPolygon, WhatLiesOutsideIsCutOff) {
  EXPECT_EQ(fill_polygon({rectangle(-1e9, 1, 1e9, 2)}, 3, 3), drawn({"...", "###"}));
  EXPECT_THAT(fill_polygon({rectangle(5, 5, 9, 9)}, 3, 3), IsEmpty());
  EXPECT_THAT(fill_polygon({{{1, 1}}, {}}, 3, 3), IsEmpty());
}

TEST(FillPolygon, MemoryGoesWithThePointsNotThePicture) {
  const int most = std::numeric_limits<int>::max();
  EXPECT_EQ(fill_polygon({rectangle(0, 1e9, 1, 1e9 + 2)}, most, most),
            (Region{{1000000000, 0, 1}, {1000000001, 0, 1}}));
}

TEST(CheckedPoint, RefusesWhatIsNoPlace) {
  EXPECT_EQ(checked_point(1, -2), (Point{1, -2}));
  EXPECT_EQ(error_of([] { checked_point(std::nan(""), 0); }),
            "the point (nan, 0) lies in no picture");
  EXPECT_EQ(error_of([] { checked_point(0, 2e9); }),
            "the point (0, 2000000000) lies in no picture");
}

TEST(TraceOutlines, OnePixel) {
  const std::vector<Outline> outlines = trace_outlines({{2, 3, 4}});
  ASSERT_THAT(outlines, SizeIs(1));
  EXPECT_THAT(outlines[0].outer, ElementsAre(Point{3, 2}, Point{4, 2}, Point{4, 3}, Point{3, 3}));
  EXPECT_THAT(outlines[0].holes, IsEmpty());
  EXPECT_EQ(signed_area(outlines[0].outer), 1);
}

TEST(TraceOutlines, CornersOnly) {
  const auto outlines = trace_outlines(drawn({"####", "#..."}));
  ASSERT_THAT(outlines, SizeIs(1));
  EXPECT_THAT(outlines[0].outer, ElementsAre(Point{0, 0}, Point{4, 0}, Point{4, 1}, Point{1, 1},
                                             Point{1, 2}, Point{0, 2}));
}

TEST(TraceOutlines, PixelsThatTouchByACornerAreApart) {
  EXPECT_THAT(trace_outlines(drawn({"#.", ".#"})), SizeIs(2));
  // One part, and a hole that touches the outside by a corner: no hole, but one long ring.
  const auto outlines = trace_outlines(drawn({"##.", "#.#", "###"}));
  ASSERT_THAT(outlines, SizeIs(1));
  EXPECT_THAT(outlines[0].holes, IsEmpty());
  EXPECT_EQ(signed_area(outlines[0].outer), 7);
}

TEST(TraceOutlines, HolesTurnTheOtherWay) {
  const auto outlines = trace_outlines(drawn({"####", "#.##", "####"}));
  ASSERT_THAT(outlines, SizeIs(1));
  ASSERT_THAT(outlines[0].holes, SizeIs(1));
  EXPECT_EQ(signed_area(outlines[0].outer), 12);
  EXPECT_EQ(signed_area(outlines[0].holes[0]), -1);
}

/// Random dots of any density have saddles, holes, islands in holes: every case there is.
TEST(TraceOutlines, FillingGivesBackAnyRegion) {
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    const int height = 1 + i % 13, width = 1 + i % 11;
    const unsigned density = 10 + static_cast<unsigned>(i) % 80;
    std::vector<Span> spans;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        if (random() % 100 < density) spans.push_back({y, x, x + 1});
      }
    }
    const Region region = region_of(std::move(spans));
    const auto outlines = trace_outlines(region);
    EXPECT_EQ(filled_again(outlines, height, width), region) << i;
    EXPECT_EQ(fill_polygon({joined_ring(outlines)}, height, width), region) << i;
    double area = 0;
    for (const Outline& outline : outlines) {
      area += signed_area(outline.outer);
      for (const Ring& hole : outline.holes) area += signed_area(hole);
    }
    EXPECT_EQ(area, static_cast<double>(pixel_count(region))) << i;
  }
}

TEST(JoinedRing, RunsToAHoleAndBack) {
  const Ring ring = joined_ring(trace_outlines(drawn({"###", "#.#", "###"})));
  EXPECT_THAT(ring, SizeIs(4 + 4 + 2));
  EXPECT_EQ(fill_polygon({ring}, 3, 3), drawn({"###", "#.#", "###"}));
}

}  // namespace
}  // namespace segmentum
