// Operators that join the channels of a pixel or of a picture: softmax and group norm.
#include "engine/cpu/kernels/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels/softmax.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>
#include <vector>

#include "base/threads.h"
#include "engine/cpu/kernels/block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace segmentum::cpu::HWY_NAMESPACE {

/// Calls body(n, y) for every row of every picture, in parallel.
template <typename Body>
void for_picture_rows(const View& x, const Body& body) {
  parallel_for(x.shape.n() * x.shape.h(),
               [&](std::int64_t i) { body(i / x.shape.h(), i % x.shape.h()); });
}

float* channel(const View& x, std::int64_t n, std::int64_t c, std::int64_t y) {
  return x.at(n, c / x.block, y) + c % x.block;
}

void Softmax(const View& x, const View& y) {
  const std::int64_t w = x.shape.w(), channels = x.shape.c();
  for_picture_rows(x, [&](std::int64_t n, std::int64_t row) {
    std::vector<float> top(static_cast<std::size_t>(w), -INFINITY), sum(top.size(), 0.0f);
    for (std::int64_t c = 0; c < channels; ++c) {
      const float* in = channel(x, n, c, row);
      for (std::int64_t i = 0; i < w; ++i) top[i] = std::max(top[i], in[i * x.block]);
    }
    for (std::int64_t c = 0; c < channels; ++c) {
      const float* in = channel(x, n, c, row);
      float* out = channel(y, n, c, row);
      for (std::int64_t i = 0; i < w; ++i) {
        out[i * y.block] = std::exp(in[i * x.block] - top[i]);
        sum[i] += out[i * y.block];
      }
    }
    for (std::int64_t c = 0; c < y.blocks() * y.block; ++c) {
      float* out = channel(y, n, c, row);
      for (std::int64_t i = 0; i < w; ++i) {
        out[i * y.block] = c < channels ? out[i * y.block] / sum[i] : 0.0f;
      }
    }
  });
}

void SoftmaxBackward(const View& y, const View& dy, const View& dx, bool add) {
  const std::int64_t w = y.shape.w(), channels = y.shape.c();
  for_picture_rows(y, [&](std::int64_t n, std::int64_t row) {
    std::vector<float> inner(static_cast<std::size_t>(w), 0.0f);
    for (std::int64_t c = 0; c < channels; ++c) {
      const float *p = channel(y, n, c, row), *g = channel(dy, n, c, row);
      for (std::int64_t i = 0; i < w; ++i) inner[i] += p[i * y.block] * g[i * dy.block];
    }
    for (std::int64_t c = 0; c < dx.blocks() * dx.block; ++c) {
      const float *p = channel(y, n, c, row), *g = channel(dy, n, c, row);
      float* out = channel(dx, n, c, row);
      for (std::int64_t i = 0; i < w; ++i) {
        const float value = c < channels ? p[i * y.block] * (g[i * dy.block] - inner[i]) : 0.0f;
        out[i * dx.block] = add ? out[i * dx.block] + value : value;
      }
    }
  });
}

/// Calls body(channel, row) for every row of every channel of a group.
template <typename Body>
void over_group(const View& x, std::int64_t group, std::int64_t per_group, const Body& body) {
  for (std::int64_t c = group * per_group; c < (group + 1) * per_group; ++c) {
    for (std::int64_t y = 0; y < x.shape.h(); ++y) body(c, y);
  }
}

void GroupNorm(const View& x, int groups, float epsilon, const float* weight, const float* bias,
               float* mean, float* inverse_deviation, const View& y) {
  const std::int64_t per_group = x.shape.c() / groups, w = x.shape.w();
  parallel_for(x.shape.n() * groups, [&](std::int64_t i) {
    const std::int64_t n = i / groups, group = i % groups;
    double sum = 0, square = 0;
    over_group(x, group, per_group, [&](std::int64_t c, std::int64_t row) {
      const float* in = channel(x, n, c, row);
      for (std::int64_t k = 0; k < w; ++k) {
        const double v = in[k * x.block];
        sum += v;
        square += v * v;
      }
    });
    const auto count = static_cast<double>(per_group * x.shape.h() * w);
    const double m = sum / count;
    const double variance = std::max(0.0, square / count - m * m);
    mean[i] = static_cast<float>(m);
    inverse_deviation[i] = static_cast<float>(1.0 / std::sqrt(variance + epsilon));
    over_group(x, group, per_group, [&](std::int64_t c, std::int64_t row) {
      const float scale = inverse_deviation[i] * weight[c];
      const float shift = bias[c] - mean[i] * scale;
      const float* in = channel(x, n, c, row);
      float* out = channel(y, n, c, row);
      for (std::int64_t k = 0; k < w; ++k) out[k * y.block] = in[k * x.block] * scale + shift;
    });
  });
  for (std::int64_t c = x.shape.c(); c < y.blocks() * y.block; ++c) {
    for_picture_rows(y, [&](std::int64_t n, std::int64_t row) {
      float* out = channel(y, n, c, row);
      for (std::int64_t k = 0; k < w; ++k) out[k * y.block] = 0;
    });
  }
}

void GroupNormBackward(const View& x, const View& dy, int groups, const float* weight,
                       const float* mean, const float* inverse_deviation, float* weight_gradient,
                       float* bias_gradient, const View& dx, bool add) {
  const std::int64_t per_group = x.shape.c() / groups, w = x.shape.w(), pictures = x.shape.n();
  // A group's channels belong to one thread, so the sums over pictures are taken in one order.
  parallel_for(groups, [&](std::int64_t group) {
    for (std::int64_t n = 0; n < pictures; ++n) {
      const std::int64_t i = n * groups + group;
      const float m = mean[i], s = inverse_deviation[i];
      double total = 0, product = 0;  // over the group, of g*weight and g*weight*xhat
      for (std::int64_t c = group * per_group; c < (group + 1) * per_group; ++c) {
        double sum = 0, weighted = 0;
        for (std::int64_t row = 0; row < x.shape.h(); ++row) {
          const float *in = channel(x, n, c, row), *g = channel(dy, n, c, row);
          for (std::int64_t k = 0; k < w; ++k) {
            const double e = g[k * dy.block];
            sum += e;
            weighted += e * ((in[k * x.block] - m) * s);
          }
        }
        weight_gradient[c] += static_cast<float>(weighted);
        bias_gradient[c] += static_cast<float>(sum);
        total += sum * weight[c];
        product += weighted * weight[c];
      }
      if (dx.data == nullptr) continue;
      const auto count = static_cast<double>(per_group * x.shape.h() * w);
      const auto mean_total = static_cast<float>(total / count);
      const auto mean_product = static_cast<float>(product / count);
      over_group(x, group, per_group, [&](std::int64_t c, std::int64_t row) {
        const float *in = channel(x, n, c, row), *g = channel(dy, n, c, row);
        float* out = channel(dx, n, c, row);
        for (std::int64_t k = 0; k < w; ++k) {
          const float xhat = (in[k * x.block] - m) * s;
          const float value = s * (g[k * dy.block] * weight[c] - mean_total - xhat * mean_product);
          out[k * dx.block] = add ? out[k * dx.block] + value : value;
        }
      });
    }
  });
  if (dx.data == nullptr || add) return;
  for (std::int64_t c = x.shape.c(); c < dx.blocks() * dx.block; ++c) {
    for_picture_rows(dx, [&](std::int64_t n, std::int64_t row) {
      float* out = channel(dx, n, c, row);
      for (std::int64_t k = 0; k < w; ++k) out[k * dx.block] = 0;
    });
  }
}

}  // namespace segmentum::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace segmentum::cpu {
HWY_EXPORT(Softmax);
HWY_EXPORT(SoftmaxBackward);
HWY_EXPORT(GroupNorm);
HWY_EXPORT(GroupNormBackward);

void softmax(const View& x, const View& y) {
  HWY_DYNAMIC_DISPATCH(Softmax)(x, y);
}

void softmax_backward(const View& y, const View& dy, const View& dx, bool add) {
  HWY_DYNAMIC_DISPATCH(SoftmaxBackward)(y, dy, dx, add);
}

void group_norm(const View& x, int groups, float epsilon, const float* weight, const float* bias,
                float* mean, float* inverse_deviation, const View& y) {
  HWY_DYNAMIC_DISPATCH(GroupNorm)
  (x, groups, epsilon, weight, bias, mean, inverse_deviation, y);
}

void group_norm_backward(const View& x, const View& dy, int groups, const float* weight,
                         const float* mean, const float* inverse_deviation, float* weight_gradient,
                         float* bias_gradient, const View& dx, bool add) {
  HWY_DYNAMIC_DISPATCH(GroupNormBackward)
  (x, dy, groups, weight, mean, inverse_deviation, weight_gradient, bias_gradient, dx, add);
}

}  // namespace segmentum::cpu
#endif
