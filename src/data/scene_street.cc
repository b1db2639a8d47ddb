#include "data/scene_street.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace segmentum::scene {
namespace {

struct Thing {
  enum class Kind { car, car_across, tree, lamp, sign, signal, person } kind;
  Place foot;
};

// Collects what stands in the street. (Never two random numbers in the arguments of one call: their
// order would be the compiler's choice.)
class Inhabitants {
 public:
  Inhabitants(const Stage& stage, double density) : stage_(stage), density_(density) {}

  std::vector<Thing> far_to_near() {
    add_parked_cars();
    add_driving_cars();
    add_trees();
    add_poles();
    add_people();
    std::ranges::stable_sort(things_,
                             [](const Thing& a, const Thing& b) { return a.foot.z > b.foot.z; });
    return std::move(things_);
  }

 private:
  using Kind = Thing::Kind;

  // Between low and high of them, times the density.
  int count(double low, double high) {
    return static_cast<int>(stage_.random.uniform(low, high + 1) * density_);
  }
  int side() { return static_cast<int>(stage_.random.below(2)); }
  void add(Kind kind, float x, float z) { things_.push_back({kind, {x, 0, z}}); }
  // Just beyond the kerb, `inward` metres away from it.
  float beyond_kerb(int at_side, float inward) const {
    return stage_.street.kerb[at_side] + (at_side == 0 ? -inward : inward);
  }
  bool on_crossing(float z, float margin) const {
    const Street& street = stage_.street;
    return street.has_crossing() && z > street.crossing_near - margin &&
           z < street.crossing_far + margin;
  }

  void add_parked_cars() {
    for (int at_side : {0, 1}) {
      if (!stage_.random.chance(0.55)) continue;
      float z = stage_.uniform(5, 12);
      for (int i = count(1, 4); i > 0; --i, z += stage_.uniform(5.4, 9)) {
        if (!on_crossing(z + 2, 4)) add(Kind::car, beyond_kerb(at_side, -1.1f), z);
      }
    }
  }

  void add_driving_cars() {
    const Street& street = stage_.street;
    const float middle = (street.kerb[0] + street.kerb[1]) / 2;
    for (int i = count(0, 2); i > 0; --i) {
      const float lane = side() == 0 ? -1.6f : 1.6f;
      add(Kind::car, middle + lane, stage_.uniform(8, 28));
    }
    if (street.has_crossing() && street.crossing_near < 45) {
      for (int i = count(0, 2); i > 0; --i) {
        const bool near_lane = stage_.random.chance(0.5);
        const float z = near_lane ? street.crossing_near + 0.8f : street.crossing_far - 3.0f;
        add(Kind::car_across, stage_.uniform(street.wall[0] - 3, street.wall[1] + 3), z);
      }
    }
    if (stage_.random.chance(0.25 * density_)) {  // turning round, or leaving a yard
      const float z = stage_.uniform(8, 18);
      add(Kind::car_across, middle + stage_.uniform(-2, 2), z);
    }
  }

  void add_trees() {
    for (int at_side : {0, 1}) {
      if (!stage_.random.chance(0.6)) continue;
      float z = stage_.uniform(7, 16);
      for (int i = count(1, 3); i > 0; --i, z += stage_.uniform(6, 14)) {
        if (!on_crossing(z, 0)) add(Kind::tree, beyond_kerb(at_side, stage_.uniform(0.8, 1.3)), z);
      }
    }
  }

  void add_poles() {
    for (int i = count(3, 6); i > 0; --i) {
      const std::uint32_t lot = stage_.random.below(10);
      const Kind kind = lot < 4 ? Kind::lamp : lot < 8 ? Kind::sign : Kind::signal;
      const float z = stage_.uniform(4.5, 14);
      const int at_side = side();
      if (!on_crossing(z, 0)) add(kind, beyond_kerb(at_side, stage_.uniform(0.25, 0.8)), z);
    }
  }

  void add_people() {
    const Street& street = stage_.street;
    for (int i = count(3, 7); i > 0; --i) {
      const float z = stage_.uniform(4, 13);
      const int at_side = side();
      const float share = stage_.uniform(0.1, 0.85);
      float x = std::lerp(street.kerb[at_side], street.wall[at_side], share);
      if (stage_.random.chance(0.25)) x = stage_.uniform(street.kerb[0], street.kerb[1]);
      add(Kind::person, x, z);
      if (stage_.random.chance(0.25)) add(Kind::person, x + stage_.uniform(0.5, 0.7), z + 0.1f);
    }
  }

  const Stage& stage_;
  double density_;
  std::vector<Thing> things_;
};

void paint_shadow_of(const Stage& stage, const Thing& thing) {
  Place at = thing.foot;
  switch (thing.kind) {
    case Thing::Kind::car:
      for (float step : {0.7f, 2.2f, 3.7f}) {
        paint_shadow(stage, {at.x, 0, at.z + step}, 1.25f, 0.7f);
      }
      break;
    case Thing::Kind::car_across:
      for (float step : {-1.5f, 0.0f, 1.5f}) {
        paint_shadow(stage, {at.x + step, 0, at.z + 0.8f}, 1.25f, 0.7f);
      }
      break;
    case Thing::Kind::tree:
      paint_shadow(stage, at, 1.3f, 3.5f);
      break;
    case Thing::Kind::person:
      paint_shadow(stage, at, 0.35f, 1.6f);
      break;
    default:
      paint_shadow(stage, at, 0.2f, 3.0f);
  }
}

void paint_thing(const Stage& stage, const Thing& thing) {
  switch (thing.kind) {
    case Thing::Kind::car:
      return paint_car(stage, thing.foot, false);
    case Thing::Kind::car_across:
      return paint_car(stage, thing.foot, true);
    case Thing::Kind::tree:
      return paint_tree(stage, thing.foot);
    case Thing::Kind::lamp:
      return paint_lamp(stage, thing.foot);
    case Thing::Kind::sign:
      return paint_sign(stage, thing.foot);
    case Thing::Kind::signal:
      return paint_signal(stage, thing.foot);
    case Thing::Kind::person:
      return paint_person(stage, thing.foot);
  }
}

}  // namespace

Colour Stage::pick(std::span<const Colour> colours, float spread) const {
  const auto size = static_cast<double>(colours.size());
  const double choice = std::clamp(1 + std::round(variety * (size - 1) / 2), 1.0, size);
  const Colour colour = colours[random.below(static_cast<std::uint32_t>(choice))];
  const auto shift = [&](float by) {
    return by * static_cast<float>(std::min(variety, 2.0) * random.normal());
  };
  const float all = shift(spread);
  Colour moved{colour.r + all + shift(spread / 3), colour.g + all + shift(spread / 3),
               colour.b + all + shift(spread / 3)};
  for (float* c : {&moved.r, &moved.g, &moved.b}) *c = std::clamp(*c, 0.03f, 0.95f);
  return moved;
}

Camera choose_camera(RandomStream& random, int height, int width) {
  const auto uniform = [&](double low, double high) {
    return static_cast<float>(random.uniform(low, high));
  };
  Camera camera;
  camera.focal_px = uniform(0.8, 1.1) * static_cast<float>(width);
  camera.horizon = {uniform(0.3, 0.7) * static_cast<float>(width),
                    uniform(0.40, 0.54) * static_cast<float>(height)};
  camera.eye_height = uniform(1.5, 2.1);
  return camera;
}

Weather choose_weather(RandomStream& random, double variety) {
  const auto uniform = [&](double low, double high) {
    return static_cast<float>(random.uniform(low, high));
  };
  Weather weather;
  weather.sun_x = uniform(-1, 1);
  weather.shadow_length = uniform(0.5, 1.6);
  weather.cloud_cover = uniform(0.1, 0.9);
  weather.haze_per_m = uniform(0.001, 0.008);
  weather.cloud = Colour{.88f, .88f, .90f} * uniform(0.8, 1.08);
  if (random.chance(0.15 * variety)) {  // overcast
    weather.zenith = Colour{.58f, .60f, .63f} * uniform(0.85, 1.15);
    weather.skyline = Colour{.74f, .75f, .76f} * uniform(0.9, 1.1);
    weather.cloud = weather.zenith * uniform(0.8, 0.95);
    weather.shadow_depth = 0;
  } else if (random.chance(0.2 * variety)) {  // evening
    weather.zenith = Colour{.42f, .48f, .62f} * uniform(0.8, 1.1);
    weather.skyline = Colour{.92f, .72f, .54f} * uniform(0.85, 1.05);
    weather.cloud = Colour{.86f, .68f, .60f} * uniform(0.8, 1.05);
    weather.shadow_depth = uniform(0.3, 0.7);
  } else {
    weather.zenith = Colour{.34f, .54f, .82f} * uniform(0.8, 1.1);
    weather.skyline = Colour{.74f, .83f, .91f} * uniform(0.92, 1.05);
    weather.shadow_depth = uniform(0.5, 1);
  }
  return weather;
}

Street choose_street(RandomStream& random) {
  const auto uniform = [&](double low, double high) {
    return static_cast<float>(random.uniform(low, high));
  };
  Street street;
  street.kerb[0] = uniform(-5.5, -1.2);
  street.kerb[1] = street.kerb[0] + uniform(6.5, 9.5);
  street.wall = {street.kerb[0] - uniform(2.2, 5), street.kerb[1] + uniform(2.2, 5)};
  street.park = {random.chance(0.3), random.chance(0.3)};
  street.end = uniform(55, 120);
  if (random.chance(0.5)) {
    street.crossing_near = uniform(14, 40);
    street.crossing_far = street.crossing_near + uniform(6, 9);
  }
  return street;
}

void paint_street(const Stage& stage, double density) {
  paint_sky(stage);
  paint_ground(stage);
  paint_skyline(stage);
  const std::vector<Thing> things = Inhabitants(stage, density).far_to_near();
  for (const Thing& thing : things) paint_shadow_of(stage, thing);
  paint_street_sides(stage);
  for (const Thing& thing : things) paint_thing(stage, thing);
}

}  // namespace segmentum::scene
