// Trees, people, poles and cars of the generated scenes.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/scene_street.h"

namespace segmentum::scene {
namespace {

constexpr Colour kLeafColours[] = {{.22f, .37f, .14f}, {.30f, .42f, .14f}, {.14f, .27f, .13f},
                                   {.42f, .48f, .22f}, {.56f, .42f, .16f}, {.50f, .26f, .14f},
                                   {.40f, .40f, .34f}};
constexpr Colour kBarkColours[] = {
    {.26f, .20f, .15f}, {.22f, .19f, .15f}, {.34f, .32f, .29f}, {.20f, .17f, .15f}};
constexpr Colour kPoleColours[] = {{.15f, .16f, .18f}, {.66f, .68f, .70f}, {.22f, .24f, .25f},
                                   {.55f, .56f, .57f}, {.24f, .32f, .27f}, {.40f, .38f, .36f}};
constexpr Colour kPlateColours[] = {{.75f, .10f, .09f},
                                    {.10f, .26f, .64f},
                                    {.88f, .72f, .10f},
                                    {.85f, .84f, .82f},
                                    {.10f, .42f, .24f}};
constexpr Colour kClothColours[] = {{.76f, .24f, .46f}, {.10f, .46f, .50f}, {.86f, .48f, .14f},
                                    {.34f, .20f, .46f}, {.22f, .32f, .56f}, {.74f, .68f, .50f},
                                    {.55f, .16f, .15f}, {.16f, .18f, .24f}, {.36f, .33f, .27f},
                                    {.60f, .60f, .58f}, {.28f, .38f, .26f}};
constexpr Colour kSkinColours[] = {{.80f, .62f, .52f}, {.62f, .44f, .34f}, {.38f, .26f, .20f}};
constexpr Colour kHairColours[] = {
    {.12f, .09f, .07f}, {.36f, .24f, .14f}, {.62f, .52f, .34f}, {.55f, .55f, .55f}};
constexpr Colour kCarColours[] = {{.66f, .10f, .10f}, {.12f, .24f, .56f}, {.84f, .85f, .86f},
                                  {.86f, .66f, .12f}, {.12f, .40f, .30f}, {.12f, .12f, .13f},
                                  {.52f, .54f, .56f}, {.30f, .32f, .33f}, {.60f, .54f, .42f}};

// An upright plane through `foot` that faces the camera; metres right of and above the foot.
struct Upright {
  const Stage& stage;
  Place foot;

  float px_per_m() const { return stage.camera.focal_px / foot.z; }
  Point at(float x, float y) const {
    return stage.camera.project({foot.x + x, foot.y + y, foot.z});
  }
  Point metres(Point p) const {
    const Point base = at(0, 0);
    return {(p.x - base.x) / px_per_m(), (base.y - p.y) / px_per_m()};
  }
  Colour seen(Colour colour) const { return stage.weather.through_air(colour, foot.z); }

  // A beam from (x0, y0) to (x1, y1), as wide as told at each end.
  ConvexPolygon beam(float x0, float y0, float w0, float x1, float y1, float w1) const {
    const float length = std::max(std::hypot(x1 - x0, y1 - y0), 1e-3f);
    const float across_x = (y1 - y0) / length / 2, across_y = (x0 - x1) / length / 2;
    const Point corners[] = {
        at(x0 - across_x * w0, y0 - across_y * w0), at(x0 + across_x * w0, y0 + across_y * w0),
        at(x1 + across_x * w1, y1 + across_y * w1), at(x1 - across_x * w1, y1 - across_y * w1)};
    return ConvexPolygon(corners);
  }
  Ellipse disc(float x, float y, float radius_x, float radius_y) const {
    return {at(x, y), radius_x * px_per_m(), radius_y * px_per_m()};
  }

  // Round things are lighter on the side of the sun.
  template <typename Shape>
  void fill_round(const Shape& shape, Colour colour, Label label, float roughness = 0.08f) const {
    const Box box = shape.bounds();
    const float middle = (box.left + box.right) / 2;
    const float half = std::max((box.right - box.left) / 2, 0.1f);
    const float seed = stage.uniform(0, 8);
    stage.canvas.paint(
        shape,
        [&](Point p) {
          const float side = (p.x - middle) / half * stage.weather.sun_x;
          const Point m = metres(p);
          const float light = 1 + 0.2f * side + roughness * 2.5f * fractal_noise(m.x + seed, m.y);
          return seen(colour * light);
        },
        label);
  }
  template <typename Shape>
  void fill(const Shape& shape, Colour colour, Label label) const {
    stage.canvas.paint(
        shape, [&](Point) { return seen(colour); }, label);
  }
};

// A ball of leaves with a ragged outline.
struct Tuft {
  Point centre;
  float radius;
  float seed;

  Box bounds() const {
    const float r = radius * 1.3f;
    return {centre.x - r, centre.y - r, centre.x + r, centre.y + r};
  }
  bool contains(Point p) const {
    const float u = (p.x - centre.x) / radius, v = (p.y - centre.y) / radius;
    const float squared = u * u + v * v;
    if (squared < 0.35f || squared > 1.6f) return squared < 1;
    const float ragged = 1 + 0.30f * fractal_noise(u * 0.9f + seed, v * 0.9f + seed) +
                         0.45f * stepped_noise(u * 3.3f + seed, v * 3.3f);
    return squared < ragged;
  }
};

struct GroundShadow {
  const Camera& camera;
  Place from;
  float to_x, radius_m;
  Box box;

  Box bounds() const { return box; }
  // How deep a point lies in the shadow: 1 on its axis, 0 at its edge.
  float depth(Point p) const {
    if (p.y <= camera.horizon.y + 0.3f) return 0;
    const Place at = camera.ground(p);
    const float low = std::min(from.x, to_x), high = std::max(from.x, to_x);
    const float dx = at.x - std::clamp(at.x, low, high), dz = at.z - from.z;
    return 1 - std::sqrt(dx * dx + dz * dz) / radius_m;
  }
  bool contains(Point p) const { return depth(p) > 0; }
};

}  // namespace

void paint_shadow(const Stage& stage, Place foot, float radius_m, float height_m) {
  const Weather& weather = stage.weather;
  const float reach = -weather.sun_x * weather.shadow_length * height_m * weather.shadow_depth;
  GroundShadow shadow{stage.camera, foot, foot.x + reach, radius_m, {}};
  const float near = std::max(foot.z - radius_m, 0.5f);
  const float left = std::min(foot.x, shadow.to_x) - radius_m;
  const float right = std::max(foot.x, shadow.to_x) + radius_m;
  shadow.box = {stage.camera.project({left, 0, near}).x,
                stage.camera.project({0, 0, foot.z + radius_m}).y,
                stage.camera.project({right, 0, near}).x, stage.camera.project({0, 0, near}).y};
  // Even under a grey sky it is darker below a thing.
  const float dark = 0.30f + 0.25f * weather.shadow_depth;
  stage.canvas.shade(shadow,
                     [&](Point p) { return 1 - dark * smoothstep(0, 0.4f, shadow.depth(p)); });
}

void paint_tree(const Stage& stage, Place foot) {
  const Upright plane{stage, foot};
  const float trunk = stage.uniform(1.6, 3), radius = stage.uniform(1.3, 2.6);
  const float width = stage.uniform(0.2, 0.38), lean = stage.uniform(-0.25, 0.25);
  const Colour bark = stage.pick(kBarkColours, 0.04f);
  const float crown = trunk + radius * 0.8f;
  plane.fill_round(plane.beam(0, 0, width * 1.3f, lean, crown, width * 0.7f), bark, tree, 0.2f);
  plane.fill_round(plane.beam(lean * 0.7f, trunk * 0.8f, width * 0.5f, lean + radius * 0.5f, crown,
                              width * 0.3f),
                   bark, tree, 0.2f);

  const Colour leaves = stage.pick(kLeafColours, 0.05f);
  const int tufts = 9 + static_cast<int>(stage.random.below(5));
  const float flat = stage.uniform(0.75, 1.1);
  for (int i = 0; i < tufts; ++i) {
    // Low and dark ones first, those in the light last.
    const float height = (static_cast<float>(i) + 0.5f) / static_cast<float>(tufts) * 2 - 1;
    const float reach = std::sqrt(1 - height * height * 0.8f);
    const Tuft tuft{plane.at(lean + stage.uniform(-0.8, 0.8) * radius * reach,
                             crown + height * 0.75f * radius * flat),
                    stage.uniform(0.38, 0.58) * radius * plane.px_per_m(), stage.uniform(0, 8)};
    const Colour colour = leaves * (0.72f + 0.22f * height + stage.uniform(-0.08, 0.1));
    stage.canvas.paint(
        tuft,
        [&](Point p) {
          const float u = (p.x - tuft.centre.x) / tuft.radius;
          const float v = (p.y - tuft.centre.y) / tuft.radius;
          const Point m = plane.metres(p);
          const float leafage = 0.30f * fractal_noise(m.x * 0.8f + tuft.seed, m.y * 0.8f) +
                                0.50f * stepped_noise(m.x * 3.1f, m.y * 3.1f + tuft.seed);
          const float light = 1 + 0.15f * (u * stage.weather.sun_x - v) + leafage;
          return plane.seen(colour * std::max(light, 0.25f));
        },
        tree);
  }
}

void paint_person(const Stage& stage, Place foot) {
  const Upright plane{stage, foot};
  const float size =
      stage.random.chance(0.15) ? stage.uniform(0.6, 0.75) : stage.uniform(0.92, 1.08);
  const Colour coat = stage.pick(kClothColours, 0.07f);
  const Colour trousers = stage.pick(kClothColours, 0.05f) * 0.8f;
  const Colour skin = stage.pick(kSkinColours, 0.04f);
  const Colour hair = stage.pick(kHairColours, 0.04f);
  const float stride = stage.uniform(-0.24, 0.24), swing = stage.uniform(-0.2, 0.2);
  const float build = stage.uniform(0.9, 1.2);

  const auto limb = [&](float x0, float y0, float w0, float x1, float y1, float w1, Colour colour) {
    plane.fill_round(plane.beam(x0 * size, y0 * size, w0 * size * build, x1 * size, y1 * size,
                                w1 * size * build),
                     colour, person);
  };
  const bool skirt = stage.random.chance(0.2);
  limb(-0.08f, 0.9f, 0.19f, -stride - 0.07f, 0.04f, 0.12f, skirt ? skin * 0.9f : trousers * 0.85f);
  limb(0.08f, 0.9f, 0.19f, stride + 0.07f, 0.04f, 0.12f, skirt ? skin : trousers);
  limb(-stride - 0.10f, 0.04f, 0.09f, -stride + 0.08f, 0.04f, 0.09f, {.12f, .11f, .11f});
  limb(stride - 0.02f, 0.04f, 0.09f, stride + 0.16f, 0.04f, 0.09f, {.12f, .11f, .11f});
  if (skirt) limb(0, 0.5f, 0.5f, 0, 1.0f, 0.32f, trousers);
  limb(-0.21f, 1.40f, 0.13f, -0.26f - swing * 0.5f, 0.86f, 0.09f, coat * 0.82f);
  limb(0, 0.84f, 0.36f, 0, 1.30f, 0.44f, coat);
  limb(0, 1.30f, 0.44f, 0, 1.50f, 0.22f, coat);
  limb(0.21f, 1.40f, 0.13f, 0.26f + swing, 0.88f, 0.09f, coat * 0.9f);
  plane.fill_round(plane.disc(0, 1.64f * size, 0.12f * size, 0.15f * size), skin, person);
  plane.fill_round(plane.disc(-0.01f, 1.71f * size, 0.125f * size, 0.095f * size), hair, person);
  if (stage.random.chance(0.3)) {
    const Colour bag = stage.pick(kClothColours, 0.05f);
    limb(0.30f + swing, 0.55f, 0.22f, 0.30f + swing, 0.86f, 0.18f, bag);
  }
}

void paint_lamp(const Stage& stage, Place foot) {
  const Upright plane{stage, foot};
  const Colour metal = stage.pick(kPoleColours, 0.05f);
  const float height = stage.uniform(4.2, 7.5), arm = foot.x < 0 ? 1.1f : -1.1f;
  plane.fill_round(plane.beam(0, 0, 0.38f, 0, 0.9f, 0.34f), metal, pole);
  plane.fill_round(plane.beam(0, 0, 0.27f, 0, height, 0.20f), metal, pole);
  plane.fill_round(plane.beam(0, height, 0.18f, arm, height + 0.25f, 0.16f), metal, pole);
  plane.fill(plane.disc(arm, height + 0.2f, 0.42f, 0.17f), {.82f, .82f, .76f}, pole);
}

void paint_sign(const Stage& stage, Place foot) {
  const Upright plane{stage, foot};
  const Colour metal = stage.pick(kPoleColours, 0.05f);
  const Colour plate = stage.pick(kPlateColours, 0.05f);
  const Colour inner = mix(plate, {.9f, .9f, .88f}, stage.random.chance(0.5) ? 0.9f : 0.15f);
  const float height = stage.uniform(2.3, 3.0), r = stage.uniform(0.36, 0.5);
  plane.fill_round(plane.beam(0, 0, 0.21f, 0, height, 0.21f), metal, pole);
  switch (stage.random.below(3)) {
    case 0:
      plane.fill(plane.disc(0, height, r, r), plate, pole);
      plane.fill(plane.disc(0, height, r * 0.7f, r * 0.7f), inner, pole);
      break;
    case 1: {
      plane.fill(plane.beam(0, height - r, 2.2f * r, 0, height + r, 0.1f * r), plate, pole);
      plane.fill(plane.beam(0, height - 0.72f * r, 1.35f * r, 0, height + 0.45f * r, 0.05f), inner,
                 pole);
      break;
    }
    default:
      plane.fill(plane.beam(0, height - r, 1.7f * r, 0, height + r, 1.7f * r), plate, pole);
      plane.fill(plane.beam(0, height - 0.8f * r, 1.35f * r, 0, height + 0.8f * r, 1.35f * r),
                 inner, pole);
      plane.fill(plane.beam(0, height - 0.5f * r, 0.3f * r, 0, height + 0.5f * r, 0.3f * r), plate,
                 pole);
  }
}

void paint_signal(const Stage& stage, Place foot) {
  const Upright plane{stage, foot};
  const Colour metal = stage.pick(kPoleColours, 0.05f);
  plane.fill_round(plane.beam(0, 0, 0.25f, 0, 3.2f, 0.23f), metal, pole);
  plane.fill_round(plane.beam(0, 2.4f, 0.46f, 0, 3.6f, 0.46f), {.09f, .10f, .09f}, pole);
  const std::uint32_t lit = stage.random.below(3);
  const Colour lamps[] = {{.95f, .16f, .10f}, {.98f, .70f, .12f}, {.20f, .85f, .45f}};
  for (std::uint32_t i = 0; i < 3; ++i) {
    const float dim = i == lit ? 1.0f : 0.28f;
    plane.fill(plane.disc(0, 3.38f - 0.38f * static_cast<float>(i), 0.15f, 0.15f), lamps[i] * dim,
               pole);
  }
}

namespace {

// A body with a flat floor and a flat roof, both along the axes of the street.
struct Hull {
  float left, right, near, far;  // of the floor
  float floor, roof;             // y
  float roof_left, roof_right, roof_near, roof_far;
};

using Face = std::array<Place, 4>;

Face left_face(const Hull& h) {
  return {{{h.left, h.floor, h.far},
           {h.left, h.floor, h.near},
           {h.roof_left, h.roof, h.roof_near},
           {h.roof_left, h.roof, h.roof_far}}};
}
Face right_face(const Hull& h) {
  return {{{h.right, h.floor, h.near},
           {h.right, h.floor, h.far},
           {h.roof_right, h.roof, h.roof_far},
           {h.roof_right, h.roof, h.roof_near}}};
}
Face near_face(const Hull& h) {
  return {{{h.left, h.floor, h.near},
           {h.right, h.floor, h.near},
           {h.roof_right, h.roof, h.roof_near},
           {h.roof_left, h.roof, h.roof_near}}};
}
Face top_face(const Hull& h) {
  return {{{h.roof_left, h.roof, h.roof_near},
           {h.roof_right, h.roof, h.roof_near},
           {h.roof_right, h.roof, h.roof_far},
           {h.roof_left, h.roof, h.roof_far}}};
}

// A place on a face: u from its first to its second corner, v from there upwards, both 0..1.
Place on_face(const Face& f, float u, float v) {
  const auto blend = [&](float a, float b, float c, float d) {
    return std::lerp(std::lerp(a, b, u), std::lerp(d, c, u), v);
  };
  return {blend(f[0].x, f[1].x, f[2].x, f[3].x), blend(f[0].y, f[1].y, f[2].y, f[3].y),
          blend(f[0].z, f[1].z, f[2].z, f[3].z)};
}

class CarPainter {
 public:
  explicit CarPainter(const Stage& stage) : stage_(stage) {}

  // The part [u0,u1]x[v0,v1] of a face.
  void patch(const Face& face, float u0, float v0, float u1, float v1, Colour colour,
             float gloss = 0) const {
    const Point corners[] = {project(on_face(face, u0, v0)), project(on_face(face, u1, v0)),
                             project(on_face(face, u1, v1)), project(on_face(face, u0, v1))};
    fill(ConvexPolygon(corners), colour, on_face(face, 0.5f, 0.5f).z, gloss);
  }

  void wheel(const Face& flank, float u, float radius) const {
    const Place hub = on_face(flank, u, 0), ahead = on_face(flank, u + 0.1f, 0);
    const float length = std::hypot(ahead.x - hub.x, ahead.z - hub.z);
    const float along_x = (ahead.x - hub.x) / length, along_z = (ahead.z - hub.z) / length;
    for (const auto& [share, colour] : {std::pair{1.0f, Colour{.07f, .07f, .07f}},
                                        {0.58f, Colour{.50f, .51f, .52f}},
                                        {0.2f, Colour{.2f, .2f, .2f}}}) {
      std::array<Point, 12> rim;
      for (int i = 0; i < 12; ++i) {
        const float angle = 2 * std::numbers::pi_v<float> * static_cast<float>(i) / 12;
        const float s = share * radius * std::cos(angle);
        rim[i] = project(
            {hub.x + along_x * s, radius + share * radius * std::sin(angle), hub.z + along_z * s});
      }
      fill(ConvexPolygon(rim), colour, hub.z, 0);
    }
  }

 private:
  Point project(Place p) const {
    p.z = std::max(p.z, 0.5f);
    return stage_.camera.project(p);
  }
  void fill(const ConvexPolygon& shape, Colour colour, float z, float gloss) const {
    const Box box = shape.bounds();
    const float height = std::max(box.bottom - box.top, 0.1f);
    stage_.canvas.paint(
        shape,
        [&](Point p) {
          const float down = (p.y - box.top) / height;
          const float wave = fractal_noise(p.x * 0.02f, p.y * 0.02f);
          const Colour reflected = mix(colour, stage_.weather.skyline, gloss * (1 - down));
          return stage_.weather.through_air(reflected * (1.05f - 0.15f * down + 0.1f * wave), z);
        },
        car);
  }

  const Stage& stage_;
};

struct CarModel {
  float length, width, bonnet, height;  // m
  float cabin_first, cabin_last;        // shares of the length, at the bottom of the windows
  float rake;                           // how far the windows lean in, share of the length
};

constexpr CarModel kCarModels[] = {{4.4f, 1.78f, 0.86f, 1.45f, 0.10f, 0.74f, 0.12f},
                                   {3.8f, 1.70f, 0.90f, 1.52f, 0.02f, 0.74f, 0.10f},
                                   {4.6f, 1.88f, 1.00f, 1.72f, 0.02f, 0.76f, 0.08f},
                                   {5.0f, 1.95f, 1.05f, 2.20f, 0.01f, 0.90f, 0.05f}};

// Hulls of body and cabin; `reversed` cars show their front.
std::pair<Hull, Hull> car_hulls(const CarModel& model, Place foot, bool across, bool reversed) {
  const float size_x = across ? model.length : model.width;
  const float size_z = across ? model.width : model.length;
  const float left = foot.x - size_x / 2, right = foot.x + size_x / 2;
  const float near = foot.z, far = foot.z + size_z;
  const Hull body{left,         right,        near,          far,          0.22f,
                  model.bonnet, left + 0.05f, right - 0.05f, near + 0.05f, far - 0.05f};
  const float first = reversed ? 1 - model.cabin_last : model.cabin_first;
  const float last = reversed ? 1 - model.cabin_first : model.cabin_last;
  Hull cabin = body;
  cabin.floor = model.bonnet;
  cabin.roof = model.height;
  const float rake = model.rake * model.length, inset = 0.14f;
  if (across) {
    cabin.left = left + first * size_x, cabin.right = left + last * size_x;
    cabin.near = near + 0.06f, cabin.far = far - 0.06f;
    cabin.roof_left = cabin.left + rake, cabin.roof_right = cabin.right - rake;
    cabin.roof_near = near + inset, cabin.roof_far = far - inset;
  } else {
    cabin.left = left + 0.06f, cabin.right = right - 0.06f;
    cabin.near = near + first * size_z, cabin.far = near + last * size_z;
    cabin.roof_left = left + inset, cabin.roof_right = right - inset;
    cabin.roof_near = cabin.near + rake, cabin.roof_far = cabin.far - rake;
  }
  return {body, cabin};
}

// The side of a car along its length, and its windows.
void paint_flank(const CarPainter& painter, const Face& body, const Face& cabin, Colour paint,
                 Colour glass) {
  painter.patch(body, 0, 0, 1, 1, paint * 0.92f, 0.15f);
  painter.patch(body, 0, 0, 1, 0.16f, paint * 0.45f);
  painter.patch(body, 0.495f, 0.15f, 0.505f, 1, paint * 0.55f);
  painter.wheel(body, 0.19f, 0.32f);
  painter.wheel(body, 0.81f, 0.32f);
  painter.patch(cabin, 0, 0, 1, 1, paint * 0.9f, 0.1f);
  painter.patch(cabin, 0.08f, 0.10f, 0.48f, 0.86f, glass, 0.25f);
  painter.patch(cabin, 0.52f, 0.10f, 0.92f, 0.86f, glass, 0.25f);
}

// The front or the rear of a car.
void paint_end(const CarPainter& painter, const Face& body, const Face& cabin, Colour paint,
               Colour glass, bool front) {
  painter.patch(body, 0, 0, 1, 1, paint, 0.1f);
  painter.patch(body, 0, 0, 1, 0.30f, paint * 0.55f);
  const Colour lights = front ? Colour{.92f, .91f, .84f} : Colour{.66f, .08f, .07f};
  painter.patch(body, 0.04f, 0.55f, 0.22f, 0.85f, lights);
  painter.patch(body, 0.78f, 0.55f, 0.96f, 0.85f, lights);
  if (front) painter.patch(body, 0.26f, 0.48f, 0.74f, 0.78f, {.12f, .12f, .13f});
  painter.patch(body, 0.37f, 0.22f, 0.63f, 0.38f, {.85f, .85f, .80f});
  painter.patch(cabin, 0, 0, 1, 1, paint * 0.95f, 0.1f);
  painter.patch(cabin, 0.07f, 0.10f, 0.93f, 0.88f, glass, 0.3f);
}

}  // namespace

void paint_car(const Stage& stage, Place foot, bool across) {
  const CarPainter painter(stage);
  const CarModel& model = kCarModels[stage.random.below(std::size(kCarModels))];
  const Colour paint = stage.pick(kCarColours, 0.06f);
  const Colour glass = mix({.07f, .08f, .09f}, stage.weather.zenith, stage.uniform(0.05, 0.35));
  const bool reversed = stage.random.chance(0.5);
  const auto [body, cabin] = car_hulls(model, foot, across, reversed);

  // Wheels and the dark below the body, then the body from its hidden parts to its visible ones.
  const Hull below{
      body.left + 0.08f, body.right - 0.08f, body.near + 0.1f, body.far - 0.1f, 0.0f, 0.30f,
      body.left + 0.08f, body.right - 0.08f, body.near + 0.1f, body.far - 0.1f};
  const Colour dark{.06f, .06f, .06f};
  painter.patch(near_face(below), 0, across ? 0.4f : 0.0f, across ? 1 : 0.18f, 1, dark);
  painter.patch(near_face(below), across ? 0 : 0.82f, across ? 0.4f : 0.0f, 1, 1, dark);
  painter.patch(near_face(below), 0, 0.45f, 1, 1, dark);
  painter.patch(top_face(body), 0, 0, 1, 1, paint * 1.08f, 0.2f);

  const bool left_seen = body.left > 0, right_seen = body.right < 0;
  const auto side = [&](const Face& body_face, const Face& cabin_face, bool flank) {
    if (flank) {
      paint_flank(painter, body_face, cabin_face, paint, glass);
    } else {
      paint_end(painter, body_face, cabin_face, paint, glass, reversed);
    }
  };
  if (left_seen) side(left_face(body), left_face(cabin), !across);
  if (right_seen) side(right_face(body), right_face(cabin), !across);
  if (stage.camera.eye_height > cabin.roof) {
    painter.patch(top_face(cabin), 0, 0, 1, 1, paint * 1.1f, 0.25f);
  }
  side(near_face(body), near_face(cabin), across);
}

}  // namespace segmentum::scene
