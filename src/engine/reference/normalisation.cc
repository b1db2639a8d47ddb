// Batch, group and layer normalisation. All normalise sets of values by their mean and variance;
// the gradient of that is one function.
#include <cmath>
#include <optional>
#include <vector>

#include "engine/reference/operators.h"

namespace segmentum::reference {
namespace {

/// The mean and the biased variance of one set of values.
struct Moments {
  double mean = 0;
  double variance = 0;
};

/// The values of channels [c_begin, c_end) of pictures [n_begin, n_end): of the whole plane, or of
/// one pixel. for_each calls body(c, i) with the place i of each in the tensor.
struct Block {
  std::int64_t n_begin, n_end, c_begin, c_end;
  std::optional<std::int64_t> pixel = std::nullopt;

  template <typename Body>
  void for_each(const Shape& shape, const Body& body) const {
    const std::int64_t plane = shape.h() * shape.w();
    for (std::int64_t n = n_begin; n < n_end; ++n) {
      for (std::int64_t c = c_begin; c < c_end; ++c) {
        const std::int64_t first = (n * shape.c() + c) * plane + pixel.value_or(0);
        for (std::int64_t i = first; i < first + (pixel ? 1 : plane); ++i) body(c, i);
      }
    }
  }
  double count(const Shape& shape) const {
    const std::int64_t pixels = pixel ? 1 : shape.h() * shape.w();
    return static_cast<double>((n_end - n_begin) * (c_end - c_begin) * pixels);
  }
};

Block channel_block(const Shape& shape, std::int64_t c) {
  return {0, shape.n(), c, c + 1};
}

template <typename T>
Moments moments(BasicTensorView<const T> x, const Block& block) {
  Moments m;
  block.for_each(x.shape, [&](auto, auto i) { m.mean += x.data[i]; });
  m.mean /= block.count(x.shape);
  block.for_each(x.shape, [&](auto, auto i) {
    const double offset = x.data[i] - m.mean;
    m.variance += offset * offset;
  });
  m.variance /= block.count(x.shape);
  return m;
}

template <typename T>
void normalise(const Sources<T>& sources, const Block& block, const Moments& m, double epsilon,
               BasicTensorView<T> y) {
  const double inverse = 1 / std::sqrt(m.variance + epsilon);
  block.for_each(y.shape, [&](auto c, auto i) {
    const double standard = (sources.inputs[0].data[i] - m.mean) * inverse;
    y.data[i] =
        static_cast<T>(standard * sources.parameters[0].data[c] + sources.parameters[1].data[c]);
  });
}

/// With s = (x - mean) / deviation and h = dLoss/ds = gradient * weight:
/// dLoss/dx = (h - mean(h) - s * mean(h * s)) / deviation where the moments are the block's own,
/// h / deviation where they are constants.
template <typename T>
void normalise_backward_input(const Sources<T>& sources, const Gradients<T>& gradients,
                              const Block& block, const Moments& m, double epsilon,
                              bool own_moments) {
  const auto x = sources.inputs[0];
  const double inverse = 1 / std::sqrt(m.variance + epsilon);
  const auto standard = [&](auto i) { return (x.data[i] - m.mean) * inverse; };
  const auto scaled = [&](auto c, auto i) {
    return double{gradients.output.data[i]} * sources.parameters[0].data[c];
  };
  double mean_h = 0;
  double mean_hs = 0;
  if (own_moments) {
    block.for_each(x.shape, [&](auto c, auto i) {
      mean_h += scaled(c, i);
      mean_hs += scaled(c, i) * standard(i);
    });
    mean_h /= block.count(x.shape);
    mean_hs /= block.count(x.shape);
  }
  block.for_each(x.shape, [&](auto c, auto i) {
    T& dx = gradients.inputs[0].data[i];
    dx = static_cast<T>(dx + (scaled(c, i) - mean_h - standard(i) * mean_hs) * inverse);
  });
}

template <typename T>
void add_parameter_gradients(const Gradients<T>& gradients, std::int64_t c, double dweight,
                             double dbias) {
  T& weight = gradients.parameters[0].data[c];
  T& bias = gradients.parameters[1].data[c];
  weight = static_cast<T>(weight + dweight);
  bias = static_cast<T>(bias + dbias);
}

template <typename T>
void normalise_backward(const Sources<T>& sources, const Gradients<T>& gradients,
                        const Block& block, const Moments& m, double epsilon, bool own_moments) {
  normalise_backward_input(sources, gradients, block, m, epsilon, own_moments);
  const auto x = sources.inputs[0];
  const double inverse = 1 / std::sqrt(m.variance + epsilon);
  for (std::int64_t c = block.c_begin; c < block.c_end; ++c) {
    double dweight = 0;
    double dbias = 0;
    const Block channel{block.n_begin, block.n_end, c, c + 1};
    channel.for_each(x.shape, [&](auto, auto i) {
      dweight += gradients.output.data[i] * (x.data[i] - m.mean) * inverse;
      dbias += gradients.output.data[i];
    });
    add_parameter_gradients(gradients, c, dweight, dbias);
  }
}

template <typename T>
Moments batch_norm_moments(const Sources<T>& sources, std::int64_t c) {
  const auto x = sources.inputs[0];
  if (sources.batch_statistics) return moments(x, channel_block(x.shape, c));
  return {sources.parameters[2].data[c], sources.parameters[3].data[c]};
}

/// Calls body(block) for each picture and group.
template <typename Body>
void for_each_group(const op::GroupNorm& o, const Shape& shape, const Body& body) {
  const std::int64_t size = shape.c() / o.groups;
  for (std::int64_t n = 0; n < shape.n(); ++n) {
    for (std::int64_t g = 0; g < o.groups; ++g) body(Block{n, n + 1, g * size, (g + 1) * size});
  }
}

/// Calls body(block) for each pixel of each picture.
template <typename Body>
void for_each_pixel(const Shape& shape, const Body& body) {
  for (std::int64_t n = 0; n < shape.n(); ++n) {
    for (std::int64_t i = 0; i < shape.h() * shape.w(); ++i) {
      body(Block{n, n + 1, 0, shape.c(), i});
    }
  }
}

}  // namespace

template <typename T>
ChannelStatistics channel_statistics(BasicTensorView<const T> x) {
  ChannelStatistics statistics;
  for (std::int64_t c = 0; c < x.shape.c(); ++c) {
    const Block block = channel_block(x.shape, c);
    const Moments m = moments(x, block);
    const double count = block.count(x.shape);
    statistics.mean.push_back(m.mean);
    statistics.variance.push_back(m.variance);
    statistics.unbiased_variance.push_back(count > 1 ? m.variance * count / (count - 1) : 0);
  }
  return statistics;
}

template <typename T>
void forward(const op::BatchNorm& o, const Sources<T>& sources, BasicTensorView<T> output) {
  for (std::int64_t c = 0; c < output.shape.c(); ++c) {
    normalise(sources, channel_block(output.shape, c), batch_norm_moments(sources, c), o.epsilon,
              output);
  }
}

template <typename T>
void backward(const op::BatchNorm& o, const Sources<T>& sources, const Gradients<T>& gradients) {
  for (std::int64_t c = 0; c < gradients.output.shape.c(); ++c) {
    normalise_backward(sources, gradients, channel_block(gradients.output.shape, c),
                       batch_norm_moments(sources, c), o.epsilon, sources.batch_statistics);
  }
}

template <typename T>
void forward(const op::GroupNorm& o, const Sources<T>& sources, BasicTensorView<T> output) {
  for_each_group(o, output.shape, [&](const Block& block) {
    normalise(sources, block, moments(sources.inputs[0], block), o.epsilon, output);
  });
}

template <typename T>
void backward(const op::GroupNorm& o, const Sources<T>& sources, const Gradients<T>& gradients) {
  for_each_group(o, gradients.output.shape, [&](const Block& block) {
    normalise_backward(sources, gradients, block, moments(sources.inputs[0], block), o.epsilon,
                       true);
  });
}

template <typename T>
void forward(const op::LayerNorm& o, const Sources<T>& sources, BasicTensorView<T> output) {
  for_each_pixel(output.shape, [&](const Block& block) {
    normalise(sources, block, moments(sources.inputs[0], block), o.epsilon, output);
  });
}

template <typename T>
void backward(const op::LayerNorm& o, const Sources<T>& sources, const Gradients<T>& gradients) {
  const auto x = sources.inputs[0];
  std::vector<Moments> all;  // of each pixel
  for_each_pixel(x.shape, [&](const Block& block) {
    all.push_back(moments(x, block));
    normalise_backward_input(sources, gradients, block, all.back(), o.epsilon, true);
  });
  for (std::int64_t c = 0; c < x.shape.c(); ++c) {
    double dweight = 0;
    double dbias = 0;
    auto m = all.begin();
    for_each_pixel(x.shape, [&](const Block& block) {
      const Block channel{block.n_begin, block.n_end, c, c + 1, block.pixel};
      channel.for_each(x.shape, [&](auto, auto i) {
        dweight +=
            gradients.output.data[i] * (x.data[i] - m->mean) / std::sqrt(m->variance + o.epsilon);
        dbias += gradients.output.data[i];
      });
      ++m;
    });
    add_parameter_gradients(gradients, c, dweight, dbias);
  }
}

template ChannelStatistics channel_statistics(BasicTensorView<const float>);
template ChannelStatistics channel_statistics(BasicTensorView<const double>);
SEGMENTUM_INSTANTIATE_REFERENCE(op::BatchNorm);
SEGMENTUM_INSTANTIATE_REFERENCE(op::GroupNorm);
SEGMENTUM_INSTANTIATE_REFERENCE(op::LayerNorm);

}  // namespace segmentum::reference
