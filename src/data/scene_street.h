// The world of the generated scenes: a street in metres, the camera that sees it, its painters.
//
// World axes: x to the right of the camera, y up from the ground, z into the picture.
#pragma once

#include <array>

#include "base/random.h"
#include "data/scene_canvas.h"

namespace segmentum::scene {

/// In the order of scene_classes().
enum Label : std::uint16_t { sky, building, road, pavement, tree, car, pole, person };

struct Place {
  float x = 0, y = 0, z = 0;  // metres
};

/// A pinhole camera that looks along z, its image plane upright.
struct Camera {
  float focal_px = 0;
  Point horizon;         // where the street's parallels meet, px
  float eye_height = 0;  // m

  Point project(Place p) const {
    const float px_per_m = focal_px / p.z;
    return {horizon.x + p.x * px_per_m, horizon.y + (eye_height - p.y) * px_per_m};
  }
  /// The place on the ground that is seen at `p`, which lies below the horizon.
  Place ground(Point p) const {
    const float z = focal_px * eye_height / (p.y - horizon.y);
    return {(p.x - horizon.x) * z / focal_px, 0, z};
  }
};

/// Where the light comes from and what the air does to it.
struct Weather {
  float sun_x = 0;          // -1: from the left, 1: from the right
  float shadow_length = 0;  // m for each m of height
  float shadow_depth = 0;   // 0: overcast, no shadows
  Colour zenith, skyline, cloud;
  float cloud_cover = 0;  // 0..1
  float haze_per_m = 0;

  /// `colour` as seen through `z` metres of air.
  Colour through_air(Colour colour, float z) const {
    return mix(skyline, colour, 1 / (1 + haze_per_m * z));
  }
};

/// The plan of the street; sides are 0 (left) and 1 (right).
struct Street {
  std::array<float, 2> kerb;                  // x where the road ends
  std::array<float, 2> wall;                  // x where buildings or a hedge begin
  std::array<bool, 2> park;                   // a hedge and trees instead of buildings
  float crossing_near = 0, crossing_far = 0;  // z of a side street; both 0: none
  float end = 0;                              // z where the street ends
  bool has_crossing() const { return crossing_far > crossing_near; }
};

/// What every painter needs.
struct Stage {
  Canvas& canvas;
  const Camera& camera;
  const Weather& weather;
  const Street& street;
  RandomStream& random;
  double variety = 1;  // of colours: 0 the first of a list only, 1 its first half, 2 all

  /// One of `colours`, listed from the usual to the odd, brightness and hue a little off.
  Colour pick(std::span<const Colour> colours, float spread = 0.05f) const;
  float uniform(double low, double high) const {
    return static_cast<float>(random.uniform(low, high));
  }
};

// A street drawn by lot for a canvas of this size.
Camera choose_camera(RandomStream& random, int height, int width);
Weather choose_weather(RandomStream& random, double variety);
Street choose_street(RandomStream& random);

/// Paints the whole street: backdrop, shadows, then `density` times the usual number of things from
/// far to near.
void paint_street(const Stage& stage, double density);

// Backdrop, in painting order.
void paint_sky(const Stage& stage);
void paint_skyline(const Stage& stage);
void paint_ground(const Stage& stage);
void paint_street_sides(const Stage& stage);

// Things that stand on the ground, at `foot` (z > 0).
void paint_shadow(const Stage& stage, Place foot, float radius_m, float height_m);
void paint_tree(const Stage& stage, Place foot);
void paint_person(const Stage& stage, Place foot);
void paint_lamp(const Stage& stage, Place foot);
void paint_sign(const Stage& stage, Place foot);
void paint_signal(const Stage& stage, Place foot);
/// The car's near end is at foot.z; `across` cars show their flank.
void paint_car(const Stage& stage, Place foot, bool across);

}  // namespace segmentum::scene
