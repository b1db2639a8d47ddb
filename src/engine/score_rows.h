// The scores of an output row by row, as labels or probabilities: what inference reads, so that
// scores of the picture's size need not exist.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "engine/executor.h"
#include "graph/regions.h"
#include "tensor/tensor.h"

namespace segmentum {

/// Scores [N,K,H,W] of a plan, valid until its next `forward`. Safe to use from many threads.
class ScoreRows {
 public:
  virtual ~ScoreRows() = default;

  virtual Shape shape() const = 0;
  /// Classes that `probabilities` tells apart: K, or of a single score the two of a sigmoid head.
  std::int64_t classes() const { return shape().c() == 1 ? 2 : shape().c(); }

  /// labels[i] = the class of pixel (y, x.begin + i) with the largest score, of equals the first;
  /// of a single score 1 where it is at least 0, else 0.
  virtual void labels(std::int64_t n, std::int64_t y, Interval x, std::uint16_t* labels) const = 0;

  /// values[k * plane + i] = the softmax over classes at pixel (y, x.begin + i); of a single score
  /// p = 1 / (1 + exp(-score)) as 1 - p and p.
  virtual void probabilities(std::int64_t n, std::int64_t y, Interval x, float* values,
                             std::ptrdiff_t plane) const = 0;
};

/// Rows of numbers in plain layout.
class PlainScoreRows final : public ScoreRows {
 public:
  explicit PlainScoreRows(ConstTensorView scores) : scores_(scores) {}

  Shape shape() const override { return scores_.shape; }
  void labels(std::int64_t n, std::int64_t y, Interval x, std::uint16_t* labels) const override;
  void probabilities(std::int64_t n, std::int64_t y, Interval x, float* values,
                     std::ptrdiff_t plane) const override;

 private:
  ConstTensorView scores_;
};

/// Rows of a plan's whole output. The plan must outlive them.
class OutputRows final : public ScoreRows {
 public:
  OutputRows(const Plan& plan, std::string name) : plan_(plan), name_(std::move(name)) {}

  Shape shape() const override { return plain().shape(); }
  void labels(std::int64_t n, std::int64_t y, Interval x, std::uint16_t* labels) const override {
    plain().labels(n, y, x, labels);
  }
  void probabilities(std::int64_t n, std::int64_t y, Interval x, float* values,
                     std::ptrdiff_t plane) const override {
    plain().probabilities(n, y, x, values, plane);
  }

 private:
  PlainScoreRows plain() const { return PlainScoreRows(plan_.output(name_)); }

  const Plan& plan_;
  std::string name_;
};

}  // namespace segmentum
