// op::MeanField: from values to planes, a picture at a time, and back.
#include <algorithm>
#include <utility>

#include "engine/mean_field_points.h"
#include "engine/reference/mean_field.h"
#include "engine/reference/operators.h"

namespace segmentum::reference {
namespace {

/// The planes of image `n`; of a single channel, a plane of zeros for label 0 and then the channel.
template <typename T>
Planes planes_of(BasicTensorView<const T> value, std::int64_t n) {
  const std::int64_t pixels = value.shape.h() * value.shape.w();
  Planes planes;
  if (value.shape.c() == 1) planes.emplace_back(pixels, 0.0);
  for (std::int64_t c = 0; c < value.shape.c(); ++c) {
    const T* first = &value(n, c, 0, 0);
    planes.emplace_back(first, first + pixels);
  }
  return planes;
}

template <typename T>
PairwiseField field_of(const op::MeanField& o, const Sources<T>& sources, std::int64_t n) {
  const BasicTensorView<const T> pictures = sources.inputs[1];
  const std::int64_t pixels = pictures.shape.h() * pictures.shape.w();
  PairwiseField field;
  auto parameter = sources.parameters.begin();
  const auto add = [&](const Features& points, float weight) {
    field.kernels.push_back(normalised(lattice_matrix(points), o.normalisation, pixels));
    auto& weights = field.weights.emplace_back();
    for (const T factor : (parameter++)->values()) weights.push_back(weight * factor);
  };
  if (o.spatial_weight > 0) {
    add(spatial_points(o, pictures.shape.h(), pictures.shape.w()), o.spatial_weight);
  }
  if (o.bilateral_weight > 0) add(bilateral_points(o, pictures, n), o.bilateral_weight);
  const std::int64_t labels = parameter->shape[0];
  for (std::int64_t k = 0; k < labels; ++k) {
    const T* row = parameter->data + k * labels;
    field.compatibility.emplace_back(row, row + labels);
  }
  return field;
}

template <typename T>
void add_to(BasicTensorView<T> to, const std::vector<double>& from, double factor = 1) {
  for (std::size_t i = 0; i < from.size(); ++i) to.data[i] += static_cast<T>(factor * from[i]);
}

template <typename T>
BasicTensorView<T> plane(BasicTensorView<T> value, std::int64_t n, std::int64_t c) {
  return {{value.shape.h(), value.shape.w()}, &value(n, c, 0, 0)};
}

}  // namespace

template <typename T>
void forward(const op::MeanField& o, const Sources<T>& sources, BasicTensorView<T> output) {
  std::ranges::fill(output.values(), T{0});
  for (std::int64_t n = 0; n < output.shape.n(); ++n) {
    const Planes x =
        refined(field_of(o, sources, n), planes_of(sources.inputs[0], n), o.iterations);
    if (output.shape.c() == 1) {
      add_to(plane(output, n, 0), x[1]);
      add_to(plane(output, n, 0), x[0], -1);
      continue;
    }
    for (std::size_t k = 0; k < x.size(); ++k) {
      add_to(plane(output, n, static_cast<std::int64_t>(k)), x[k]);
    }
  }
}

template <typename T>
void backward(const op::MeanField& o, const Sources<T>& sources, const Gradients<T>& gradients) {
  const std::int64_t channels = gradients.output.shape.c();
  for (std::int64_t n = 0; n < gradients.output.shape.n(); ++n) {
    const PairwiseField field = field_of(o, sources, n);
    std::vector<FieldIteration> kept;
    refined(field, planes_of(sources.inputs[0], n), o.iterations, &kept);
    Planes gradient = planes_of(gradients.output, n);
    if (channels == 1) {
      std::ranges::transform(gradient[1], gradient[0].begin(), std::negate<>());
    }
    const FieldGradients sum = refined_backward(field, kept, std::move(gradient));
    for (std::int64_t c = 0; c < channels; ++c) {
      add_to(plane(gradients.inputs[0], n, c),
             sum.scores[static_cast<std::size_t>(channels == 1 ? 1 : c)]);
    }
    auto parameter = gradients.parameters.begin();
    auto weights = sum.weights.begin();
    if (o.spatial_weight > 0) add_to(*parameter++, *weights++, o.spatial_weight);
    if (o.bilateral_weight > 0) add_to(*parameter++, *weights++, o.bilateral_weight);
    const std::int64_t labels = parameter->shape[0];
    for (std::int64_t k = 0; k < labels; ++k) {
      add_to<T>({{labels}, parameter->data + k * labels},
                sum.compatibility[static_cast<std::size_t>(k)]);
    }
  }
}

SEGMENTUM_INSTANTIATE_REFERENCE(op::MeanField);

}  // namespace segmentum::reference
