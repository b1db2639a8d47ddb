#include "crf/unary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/counted.h"
#include "base/threads.h"
#include "crf/mean_field_kernels.h"
#include "crf/number_text.h"

namespace segmentum {
namespace {

constexpr float kLeastProbability = 1e-5f;
constexpr float kLargestEnergy = 1e20f;
constexpr int kLine = 64;  // pixels that change from planes to rows at a time
using Line = std::array<float, kLine>;

std::string place(const CrfDomain& domain, std::int64_t pixel) {
  const CrfSize& size = domain.size;
  const std::string yx = "(" + std::to_string(pixel / size.width % size.height) + ", " +
                         std::to_string(pixel % size.width) + ")";
  if (size.depth == 1) return "pixel " + yx;
  return "pixel " + yx + " of slice " + std::to_string(pixel / size.width / size.height);
}

void check_planes(const CrfDomain& domain, std::size_t count, const char* what) {
  const std::int64_t expected = domain.size.pixels() * domain.labels;
  if (static_cast<std::int64_t>(count) == expected) return;
  throw Error(std::to_string(count) + " " + what + " for " + std::to_string(domain.size.pixels()) +
              " pixels and " + counted(domain.labels, "label") + "; " + std::to_string(expected) +
              " are needed, a plane for each label");
}

template <typename Body>
void for_lines(const CrfDomain& domain, const Body& body) {
  const Bands bands(domain.active.count());
  parallel_for(bands.count(), [&](std::int64_t b) {
    const PixelRange band = bands[static_cast<int>(b)];
    for (std::int64_t p = band.begin; p < band.end; p += kLine) {
      body(PixelRange{p, std::min(p + kLine, band.end)});
    }
  });
}

/// The numbers of one plane at the active pixels of a range: in place, or gathered.
const float* gather(const CrfDomain& domain, const float* plane, PixelRange range, Line& line) {
  if (domain.active.everyone()) return plane + range.begin;
  for (std::int64_t i = 0; i < range.count(); ++i) {
    line[i] = plane[domain.active[range.begin + i]];
  }
  return line.data();
}

void write_column(const float* line, PixelRange range, int stride, int k, float* rows) {
  float* out = rows + range.begin * stride + k;
  for (std::int64_t i = 0; i < range.count(); ++i) out[i * stride] = line[i];
}

void fill_beyond(const CrfDomain& domain, PixelRange range, float* rows) {
  const int stride = domain.stride();
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    std::fill(rows + i * stride + domain.labels, rows + (i + 1) * stride, kNoLabel);
  }
}

[[noreturn]] void throw_bad_energy(const CrfDomain& domain, std::int64_t pixel, int k,
                                   float value) {
  throw Error("the unary of label " + std::to_string(k) + " at " + place(domain, pixel) + " is " +
              number_text(value) + "; all must be finite, -log of a probability above zero");
}

/// Finds what negative_logs and the sums have already said is there.
[[noreturn]] void throw_bad_probability(const CrfDomain& domain, PixelRange range,
                                        const float* planes) {
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    const std::int64_t pixel = domain.active[i];
    float sum = 0;
    for (int k = 0; k < domain.labels; ++k) {
      const float p = planes[k * domain.size.pixels() + pixel];
      sum += p;
      if (p >= -kProbabilitySlack && p <= 1 + kProbabilitySlack) continue;
      throw Error("the probability of label " + std::to_string(k) + " at " + place(domain, pixel) +
                  " is " + number_text(p) + "; it must be within 0..1 (a softmax of logits is)");
    }
    if (std::fabs(sum - 1.0f) > 0.01f) {
      throw Error("the probabilities at " + place(domain, pixel) + " sum to " + number_text(sum) +
                  "; they must sum to one (a softmax over the labels does)");
    }
  }
  throw Error("the probabilities of a pixel do not sum to one");
}

}  // namespace

Block<float> unary_of_energies(const CrfDomain& domain, std::span<const float> energies) {
  check_planes(domain, energies.size(), "unary energies");
  const int stride = domain.stride();
  Block<float> rows(domain.active.count() * stride);
  for_lines(domain, [&](PixelRange range) {
    Line line;
    for (int k = 0; k < domain.labels; ++k) {
      const float* plane = energies.data() + k * domain.size.pixels();
      const float* values = gather(domain, plane, range, line);
      for (std::int64_t i = 0; i < range.count(); ++i) {
        if (!(std::fabs(values[i]) <= kLargestEnergy)) {
          throw_bad_energy(domain, domain.active[range.begin + i], k, values[i]);
        }
      }
      write_column(values, range, stride, k, rows.data());
    }
    fill_beyond(domain, range, rows.data());
  });
  return rows;
}

Block<float> unary_of_probabilities(const CrfDomain& domain, std::span<const float> probabilities) {
  check_planes(domain, probabilities.size(), "probabilities");
  const int stride = domain.stride();
  Block<float> rows(domain.active.count() * stride);
  for_lines(domain, [&](PixelRange range) {
    const auto count = static_cast<int>(range.count());
    Line line, energies, sums{};
    bool good = true;
    for (int k = 0; k < domain.labels; ++k) {
      const float* plane = probabilities.data() + k * domain.size.pixels();
      good = negative_logs(gather(domain, plane, range, line), count, kLeastProbability,
                           energies.data(), sums.data()) &&
             good;
      write_column(energies.data(), range, stride, k, rows.data());
    }
    for (int i = 0; i < count; ++i) good = good && std::fabs(sums[i] - 1.0f) <= 0.01f;
    if (!good) throw_bad_probability(domain, range, probabilities.data());
    fill_beyond(domain, range, rows.data());
  });
  return rows;
}

Block<float> unary_of_labels(const CrfDomain& domain, std::span<const std::uint16_t> labels,
                             float confidence) {
  const auto k_count = static_cast<float>(domain.labels);
  if (static_cast<std::int64_t>(labels.size()) != domain.size.pixels()) {
    throw Error(counted(labels.size(), "label") + " for " + std::to_string(domain.size.pixels()) +
                " pixels; give one for each");
  }
  if (domain.labels > 1 && !(confidence > 1.0f / k_count && confidence < 1.0f)) {
    throw Error("a confidence of " + number_text(confidence) + " in labels of " +
                counted(domain.labels, "class") + "; it must lie between " +
                number_text(1.0f / k_count) + ", which knows nothing, and 1");
  }
  const bool one = domain.labels == 1;
  const float unknown = std::log(k_count);
  const float right = one ? 0.0f : -std::log(confidence);
  const float wrong = one ? 0.0f : -std::log((1.0f - confidence) / (k_count - 1.0f));
  const int stride = domain.stride();
  Block<float> rows(domain.active.count() * stride);
  for_lines(domain, [&](PixelRange range) {
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      const std::int64_t pixel = domain.active[i];
      const std::uint16_t label = labels[pixel];
      float* row = rows.data() + i * stride;
      std::fill_n(row, domain.labels, label == kIgnoreLabel ? unknown : wrong);
      if (label == kIgnoreLabel) continue;
      if (label >= domain.labels) {
        throw Error("the label at " + place(domain, pixel) + " is " + std::to_string(label) +
                    " of " + counted(domain.labels, "class") + ", counted from 0");
      }
      row[label] = right;
    }
    fill_beyond(domain, range, rows.data());
  });
  return rows;
}

void rows_to_planes(const CrfDomain& domain, const Block<float>& rows, std::span<float> planes) {
  check_planes(domain, planes.size(), "numbers to write marginals to");
  const ActivePixels& active = domain.active;
  if (!active.everyone()) {
    std::fill(planes.begin(), planes.end(), 1.0f / static_cast<float>(domain.labels));
  }
  const int stride = domain.stride();
  for_lines(domain, [&](PixelRange range) {
    for (int k = 0; k < domain.labels; ++k) {
      float* plane = planes.data() + k * domain.size.pixels();
      const float* column = rows.data() + k;
      if (active.everyone()) {
        for (std::int64_t i = range.begin; i < range.end; ++i) plane[i] = column[i * stride];
      } else {
        for (std::int64_t i = range.begin; i < range.end; ++i) {
          plane[active[i]] = column[i * stride];
        }
      }
    }
  });
}

void most_likely_of_rows(const CrfDomain& domain, const Block<float>& rows,
                         std::span<std::uint16_t> labels) {
  std::fill(labels.begin(), labels.end(), kIgnoreLabel);
  const int stride = domain.stride();
  for_lines(domain, [&](PixelRange range) {
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      const float* row = rows.data() + i * stride;
      labels[domain.active[i]] =
          static_cast<std::uint16_t>(std::max_element(row, row + domain.labels) - row);
    }
  });
}

}  // namespace segmentum
