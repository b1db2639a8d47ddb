// Sky, skyline, ground, buildings and hedges of the generated scenes.
#include <algorithm>
#include <cmath>

#include "data/scene_street.h"

namespace segmentum::scene {
namespace {

constexpr float kNearMetres = 1.0f;  // nothing is painted closer to the camera

constexpr Colour kWallColours[] = {{.60f, .36f, .28f}, {.74f, .62f, .44f}, {.50f, .38f, .30f},
                                   {.72f, .64f, .52f}, {.46f, .55f, .66f}, {.58f, .58f, .58f},
                                   {.80f, .78f, .74f}, {.36f, .37f, .39f}, {.45f, .50f, .44f}};
constexpr Colour kSignColours[] = {{.60f, .15f, .13f}, {.15f, .25f, .45f}, {.75f, .70f, .60f},
                                   {.14f, .35f, .22f}, {.15f, .15f, .16f}, {.80f, .60f, .20f}};
constexpr Colour kAsphaltColours[] = {
    {.32f, .32f, .35f}, {.38f, .38f, .39f}, {.42f, .39f, .36f}, {.50f, .50f, .50f}};
constexpr Colour kPavingColours[] = {
    {.62f, .57f, .52f}, {.66f, .64f, .60f}, {.52f, .50f, .48f}, {.50f, .42f, .38f}};
constexpr Colour kHedgeColours[] = {
    {.20f, .32f, .14f}, {.28f, .38f, .16f}, {.36f, .36f, .18f}, {.24f, .26f, .18f}};

// How a building is faced; lengths in metres.
struct Facade {
  Colour wall, trim, sign, glass;
  float bay = 2, storey = 3;                        // pitch of the windows
  float window_width = 0.5f, window_height = 0.5f;  // shares of bay and storey
  float height = 10;
  bool shops = false;
  Point origin;  // in the noise
};

Facade make_facade(const Stage& stage, float height) {
  RandomStream& random = stage.random;
  Facade facade;
  facade.wall = stage.pick(kWallColours, 0.06f);
  facade.trim = facade.wall * stage.uniform(0.7, 1.25);
  facade.sign = stage.pick(kSignColours, 0.06f);
  facade.glass = mix({.10f, .12f, .15f}, stage.weather.zenith, stage.uniform(0.05, 0.6));
  facade.bay = stage.uniform(1.7, 3.4);
  facade.storey = stage.uniform(2.8, 3.6);
  facade.window_width = stage.uniform(0.35, 0.75);
  facade.window_height = stage.uniform(0.4, 0.65);
  facade.height = height;
  facade.shops = random.chance(0.5);
  facade.origin = {stage.uniform(0, 8), stage.uniform(0, 8)};
  return facade;
}

Colour pane(const Facade& facade, float s, float y) {
  const float lit = cell_noise(s / facade.bay + 17 * facade.origin.x, y / facade.storey + 40);
  const float reflection = fractal_noise(s * 0.15f + facade.origin.x, y * 0.15f);
  const Colour glass = facade.glass * (1 + 0.35f * lit + 0.4f * reflection);
  return lit > 0.85f ? mix(glass, {.75f, .66f, .48f}, 0.6f) : glass;
}

// The colour of a facade `s` metres along it and `y` above the ground.
Colour facade_colour(const Facade& facade, float s, float y) {
  if (y > facade.height - 0.45f) return facade.trim;
  float base = 0.4f;
  if (facade.shops) {
    base = 3.4f;
    if (y < 0.4f) return facade.trim * 0.7f;
    if (y < 2.6f) return fraction(s / 3.6f) < 0.85f ? pane(facade, s, y) : facade.trim * 0.8f;
    if (y < base) return facade.sign;
  }
  const float u = std::abs(fraction(s / facade.bay) - 0.5f) * 2 / facade.window_width;
  const float v = std::abs(fraction((y - base) / facade.storey) - 0.5f) * 2 / facade.window_height;
  if (u < 0.85f && v < 0.85f && y > base) {
    return u < 0.06f ? facade.trim : pane(facade, s, y - base);
  }
  if (u < 1.05f && v < 1.08f && y > base) return facade.trim;
  const float stain = fractal_noise(s * 0.25f + facade.origin.x, y * 0.12f + facade.origin.y);
  const float brick = cell_noise(s * 3 + static_cast<float>(floor_int(y * 7) & 1) * 0.5f, y * 7);
  return facade.wall * (1 + 0.16f * stain + 0.07f * brick);
}

// An upright rectangle that runs along z at x, seen from the street.
ConvexPolygon wall_along(const Camera& camera, float x, float near, float far, float height) {
  const Point corners[] = {camera.project({x, 0, near}), camera.project({x, height, near}),
                           camera.project({x, height, far}), camera.project({x, 0, far})};
  return ConvexPolygon(corners);
}

// An upright rectangle that faces the camera.
Rectangle wall_across(const Camera& camera, float x0, float x1, float height, float z) {
  const Point top = camera.project({x0, height, z}), bottom = camera.project({x1, 0, z});
  return {{top.x, top.y, bottom.x, bottom.y}};
}

void paint_end_wall(const Stage& stage, const Facade& facade, float x0, float x1, float z) {
  const Camera& camera = stage.camera;
  const float light = 0.80f - 0.1f * std::abs(stage.weather.sun_x);
  const auto material = [&](Point p) {
    const float m_per_px = z / camera.focal_px;
    const float x = (p.x - camera.horizon.x) * m_per_px;
    const float y = camera.eye_height - (p.y - camera.horizon.y) * m_per_px;
    return stage.weather.through_air(facade_colour(facade, x + 100, y) * light, z);
  };
  stage.canvas.paint(wall_across(camera, x0, x1, facade.height, z), material, building);
}

void paint_building(const Stage& stage, int side, float near, float far) {
  const Camera& camera = stage.camera;
  const float x = stage.street.wall[side];
  const Facade facade = make_facade(stage, stage.uniform(4.5, 17));
  const float outer = x + (side == 0 ? -12.0f : 12.0f);
  paint_end_wall(stage, facade, std::min(x, outer), std::max(x, outer), near);
  // The wall on the left faces right: it is lit if the sun stands there.
  const float towards_sun = stage.weather.sun_x * (side == 0 ? 1.0f : -1.0f);
  const float light = 0.92f + 0.22f * towards_sun * stage.weather.shadow_depth;
  const auto material = [&](Point p) {
    const float z = camera.focal_px * x / (p.x - camera.horizon.x);
    const float y = camera.eye_height - (p.y - camera.horizon.y) * z / camera.focal_px;
    return stage.weather.through_air(facade_colour(facade, z - near, y) * light, z);
  };
  stage.canvas.paint(wall_along(camera, x, near, far, facade.height), material, building);
}

void paint_buildings(const Stage& stage, int side) {
  const Street& street = stage.street;
  float far = street.end;
  while (far > kNearMetres) {
    float near = std::max(kNearMetres, far - stage.uniform(7, 20));
    if (street.has_crossing() && near < street.crossing_far && far > street.crossing_near) {
      if (far > street.crossing_far) {
        near = street.crossing_far;
      } else {
        far = street.crossing_near;
        continue;
      }
    }
    if (far - near > 2) paint_building(stage, side, near, far);
    far = near - (stage.random.chance(0.2) ? stage.uniform(1, 5) : 0.0f);
  }
}

// A hedge: a wall of leaves with a ragged top.
struct Hedge {
  const Camera& camera;
  float x, near, far, height;
  float seed;

  float z_at(Point p) const { return camera.focal_px * x / (p.x - camera.horizon.x); }
  float y_at(Point p, float z) const {
    return camera.eye_height - (p.y - camera.horizon.y) * z / camera.focal_px;
  }
  Box bounds() const { return wall_along(camera, x, near, far, height * 1.4f).bounds(); }
  bool contains(Point p) const {
    const float z = z_at(p);
    if (!(z > near && z < far)) return false;
    const float y = y_at(p, z);
    return y > 0 && y < height * (1 + 0.3f * fractal_noise(z * 0.3f + seed, seed));
  }
};

void paint_hedge(const Stage& stage, int side, float near, float far) {
  const Hedge hedge{stage.camera,
                    stage.street.wall[side],
                    near,
                    far,
                    stage.camera.eye_height + stage.uniform(0.4, 1.4),
                    stage.uniform(0, 8)};
  const Colour leaves = stage.pick(kHedgeColours, 0.05f);
  stage.canvas.paint(
      hedge,
      [&](Point p) {
        const float z = hedge.z_at(p), y = hedge.y_at(p, z);
        const float light = 0.65f + 0.25f * y / hedge.height +
                            0.35f * stepped_noise(z * 0.8f, y * 0.8f) +
                            0.15f * cell_noise(z * 9, y * 9);
        return stage.weather.through_air(leaves * std::max(light, 0.2f), z);
      },
      tree);
}

void paint_park(const Stage& stage, int side) {
  const Street& street = stage.street;
  const float x = street.wall[side];
  for (float z = street.end; z > 12; z -= stage.uniform(6, 11)) {
    const float behind = stage.uniform(1, 5);
    paint_tree(stage, {x + (side == 0 ? -behind : behind), 0, z});
  }
  if (street.has_crossing()) {
    paint_hedge(stage, side, street.crossing_far, street.end);
    paint_hedge(stage, side, kNearMetres, street.crossing_near);
  } else {
    paint_hedge(stage, side, kNearMetres, street.end);
  }
}

// What lies on the road, besides asphalt.
struct RoadMarks {
  float middle, edge_left, edge_right;  // x, m
  float dash, phase;                    // m
  float zebra;                          // z of a zebra crossing; 0: none

  bool paint_at(float x, float z) const {
    if (zebra > 0 && z > zebra && z < zebra + 3) return fraction(x / 1.1f) < 0.5f;
    if (std::abs(x - edge_left) < 0.06f || std::abs(x - edge_right) < 0.06f) return true;
    return std::abs(x - middle) < 0.07f && fraction((z + phase) / dash) < 0.5f;
  }
};

// Buildings shade the ground on the side the sun is on.
float ground_light(const Stage& stage, Place place, float shadow_edge_seed) {
  const Weather& weather = stage.weather;
  const int sunny_side = weather.sun_x < 0 ? 0 : 1;
  const float from_wall = std::abs(place.x - stage.street.wall[sunny_side]);
  const float reach = std::abs(weather.sun_x) * weather.shadow_length *
                      (7 + 3 * std::round(2 * cell_noise(place.z / 11, shadow_edge_seed)));
  const float lit =
      stage.street.park[sunny_side] ? 1 : smoothstep(reach - 0.1f, reach + 0.1f, from_wall);
  return 1 - weather.shadow_depth * 0.55f * (1 - lit);
}

// The ground below `box.top`: its road, or all that is not road.
struct Ground {
  const Stage& stage;
  Box box;
  bool is_road;

  Box bounds() const { return box; }
  bool contains(Point p) const {
    if (p.y <= box.top) return false;
    const Place place = stage.camera.ground(p);
    const Street& street = stage.street;
    const bool on_crossing = place.z > street.crossing_near && place.z < street.crossing_far;
    const bool on_road = on_crossing || (place.x > street.kerb[0] && place.x < street.kerb[1]);
    return on_road == is_road;
  }
};

void paint_pavement(const Stage& stage, const Box& box, float shadow_seed) {
  const Street& street = stage.street;
  const Colour paving = stage.pick(kPavingColours, 0.04f);
  const float slab = stage.uniform(0.5, 1.2);
  const auto pavement_colour = [&](Point p) {
    const Place at = stage.camera.ground(p);
    const float sharp = 1 / (1 + 0.004f * at.z * at.z);  // far away, details merge
    const bool joint = fraction(at.x / slab) < 0.05f || fraction(at.z / slab) < 0.05f;
    const bool kerb = at.x > street.kerb[0] - 0.25f && at.x < street.kerb[1] + 0.25f;
    const float slabs = 0.09f * cell_noise(at.x / slab, at.z / slab);
    const float dirt = 0.12f * fractal_noise(at.x * 0.4f, at.z * 0.4f);
    const float light = 1 + sharp * (slabs - (joint ? 0.22f : 0.0f)) + dirt + (kerb ? 0.18f : 0.0f);
    return stage.weather.through_air(paving * (light * ground_light(stage, at, shadow_seed)), at.z);
  };
  stage.canvas.paint(Ground{stage, box, false}, pavement_colour, pavement);
}

void paint_road(const Stage& stage, const Box& box, float shadow_seed) {
  const Street& street = stage.street;
  const Colour asphalt = stage.pick(kAsphaltColours, 0.04f);
  const float worn = stage.uniform(0.5, 0.95);
  const RoadMarks marks{(street.kerb[0] + street.kerb[1]) / 2,
                        street.kerb[0] + 0.25f,
                        street.kerb[1] - 0.25f,
                        stage.uniform(5, 9),
                        stage.uniform(0, 9),
                        stage.random.chance(0.4) ? stage.uniform(7, 16) : 0.0f};
  const auto road_colour = [&](Point p) {
    const Place at = stage.camera.ground(p);
    const float sharp = 1 / (1 + 0.003f * at.z * at.z);
    const float patches = 0.16f * fractal_noise(at.x * 0.35f + 3, at.z * 0.12f);
    const float grain = 0.10f * sharp * cell_noise(at.x * 14, at.z * 14);
    const float tracks = 0.05f * std::cos(at.x * 4.2f);
    Colour colour = asphalt * (1 + patches + grain + tracks);
    const bool crossing = at.z > street.crossing_near && at.z < street.crossing_far;
    if (!crossing && marks.paint_at(at.x, at.z)) {
      colour = mix(colour, {.85f, .84f, .80f}, worn * (0.75f + 0.5f * fractal_noise(at.x, at.z)));
    }
    return stage.weather.through_air(colour * ground_light(stage, at, shadow_seed), at.z);
  };
  stage.canvas.paint(Ground{stage, box, true}, road_colour, road);
}

}  // namespace

void paint_sky(const Stage& stage) {
  const Weather& weather = stage.weather;
  const float top_to_horizon = std::max(stage.camera.horizon.y, 1.0f);
  const Point drift{stage.uniform(0, 8), stage.uniform(0, 8)};
  const float clear = 0.55f - 0.9f * weather.cloud_cover;
  stage.canvas.flood(
      stage.camera.horizon.y + 1,
      [&](Point p) {
        const float height = std::clamp(1 - p.y / top_to_horizon, 0.0f, 1.0f);
        const Colour clear_sky = mix(weather.skyline, weather.zenith, std::sqrt(height));
        // Clouds lie on a plane: they shrink towards the horizon.
        const float scale = 1 / (height + 0.25f);
        const float u = (p.x - stage.camera.horizon.x) / top_to_horizon * scale * 0.5f + drift.x;
        const float v = scale * 1.2f + drift.y;
        const float thickness = smoothstep(clear, clear + 0.7f, fractal_noise(u, v));
        if (thickness == 0) return clear_sky;
        const float shaded = 1 - 0.18f * thickness * (0.5f + fractal_noise(u + 0.06f, v + 0.1f));
        return mix(clear_sky, weather.cloud * shaded, 0.9f * thickness);
      },
      sky);
}

void paint_skyline(const Stage& stage) {
  const Camera& camera = stage.camera;
  const float width = static_cast<float>(stage.canvas.width());
  const float z = stage.street.end + stage.uniform(15, 80);
  const float m_per_px = z / camera.focal_px;
  const bool wooded = stage.random.chance(0.4);
  float x = -camera.horizon.x * m_per_px;
  const float last = (width - camera.horizon.x) * m_per_px;
  while (x < last && !wooded) {
    const float span = stage.uniform(8, 25);
    const Facade facade = make_facade(stage, stage.uniform(6, 26));
    if (!stage.random.chance(0.15)) paint_end_wall(stage, facade, x, x + span, z);
    x += span;
  }
  while (x < last + 8 && wooded) {
    paint_tree(stage, {x, 0, z * stage.uniform(0.8, 1)});
    x += stage.uniform(2, 5);
  }
}

void paint_ground(const Stage& stage) {
  const Box below_horizon{0, stage.camera.horizon.y + 0.3f,
                          static_cast<float>(stage.canvas.width()),
                          static_cast<float>(stage.canvas.height())};
  const float shadow_seed = stage.uniform(0, 256);
  paint_pavement(stage, below_horizon, shadow_seed);
  paint_road(stage, below_horizon, shadow_seed);
}

void paint_street_sides(const Stage& stage) {
  for (int side : {0, 1}) {
    if (stage.street.park[side]) {
      paint_park(stage, side);
    } else {
      paint_buildings(stage, side);
    }
  }
}

}  // namespace segmentum::scene
