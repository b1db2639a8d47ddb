// The dense CRF: labels pulled to the edges of the picture by a random field that joins every pixel
// to every other one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "segmentum/error.h"
#include "segmentum/image.h"
#include "segmentum/probabilities.h"
#include "segmentum/progress.h"

namespace segmentum {

/// How a kernel k is scaled, n(i) = sum_j k(i,j): symmetric k(i,j) / sqrt(n(i) n(j)) as the
/// standard has it; before k(i,j) / n(j), after k(i,j) / n(i) (a weighted mean); or not at all.
enum class CrfNormalisation : std::uint8_t { symmetric, before, after, none };

/// The usual CRF of a picture as plain numbers: what is searched, and kept with a model.
/// The defaults are those of the standard implementation's example, not tuned to any data.
struct CrfSettings {
  int iterations = 10;
  float spatial_sigma_px = 3;         // smoothness: neighbours want the same label
  float spatial_weight = 3;           // 0: without this kernel
  float bilateral_sigma_px = 80;      // appearance: near pixels of like colour want the same label
  float bilateral_sigma_colour = 13;  // in 8-bit levels: 1/255 of the samples' full range
  float bilateral_weight = 10;        // 0: without this kernel
  CrfNormalisation normalisation = CrfNormalisation::symmetric;
  bool operator==(const CrfSettings&) const = default;

  static constexpr int kMostIterations = 1000;
};

/// Throws Error naming the field unless sigmas are positive, weights at least 0 and iterations 0 to
/// kMostIterations, all finite.
void check(const CrfSettings& settings);

/// How a CRF is computed. The result does not depend on `threads`.
struct CrfOptions {
  /// lattice: the permutohedral lattice, linear in pixels. exact: every pair of pixels, O(N*N), to
  /// check the other one against on small pictures.
  enum class Filter : std::uint8_t { lattice, exact };

  Filter filter = Filter::lattice;
  int threads = 0;  // 0: as the calling thread is set, by default all cores
};

/// The pixels of a CRF: a picture, or a stack of `depth` slices. N = depth * height * width pixels
/// are counted slice after slice, row after row.
struct CrfSize {
  int depth = 1;
  int height = 1;
  int width = 1;

  std::int64_t pixels() const { return std::int64_t{depth} * height * width; }
  bool operator==(const CrfSize&) const = default;
};

/// exp(-|p_i - p_j|^2 / 2), positions divided by the sigmas.
struct SpatialKernel {
  float sigma_xy_px = 3;
  float sigma_z_px = 3;  // in slices; only stacks have it
};

/// exp(-|p_i - p_j|^2 / 2 - |c_i - c_j|^2 / 2), positions and colours divided by their sigmas.
struct BilateralKernel {
  float sigma_xy_px = 80;
  float sigma_z_px = 80;                 // in slices; only stacks have it
  std::vector<float> sigma_samples{13};  // in the samples' own values: one, or one per channel
};

/// What a kernel costs: weight * k(i,j) * compatibility(label of i, label of j) for every pair.
struct CrfTerm {
  float weight = 1;
  /// [K,K]: row k holds the cost of label k beside each label; empty: Potts, 0 for equal labels and
  /// 1 for others. Used as it is given (the standard takes the mean of it and its transpose).
  std::vector<float> compatibility;
  CrfNormalisation normalisation = CrfNormalisation::symmetric;
};

/// One step of mean field, for a curve or a stopping rule.
struct CrfStep {
  /// Of the marginals that the step began with, in nats over all pixels: expected energy less
  /// entropy, up to a constant the KL divergence from the CRF's distribution. Mean field lowers it,
  /// though parallel updates need not at every step, and do not where kernels are not symmetric.
  /// A pair counts once, a pixel with itself by half (the standard's klDivergence: twice and once).
  double free_energy_before = 0;
  /// The mean over pixels of sum_k |after - before| / 2: 0 where nothing moved, 1 where all did.
  double change = 0;
};

/// Mean-field inference in a fully connected CRF with Gaussian kernels:
///   E(x) = sum_i unary_i(x_i) + sum_{i<j} sum_m weight_m k_m(i,j) compatibility_m(x_i, x_j).
/// As in the standard implementation, each pixel hears itself too. Give the unary term, add
/// kernels, `infer`. Not safe to use from several threads at once.
/// Memory: two [K,N] float tensors (K rounded up to 8) and the lattices: for each kernel of d
/// dimensions 8 * (d+1) + 4 bytes a pixel, for each of its vertices 4 * K + 4 * (d+2), and once
/// more 4 * K + 8 for each of the bands of pixels (64 at most) that a vertex is in.
/// Krähenbühl and Koltun, NIPS 2011, Algorithm 1; filters by Adams, Baek and Davis, 2010.
class DenseCrf {
 public:
  /// Of a kernel: coordinates and channels together.
  static constexpr int kMostFeatures = 60;

  /// `ignored`: empty, or N values that are not 0 where a pixel takes no part: nothing of it is
  /// read, it tells others nothing, its marginals are 1/K and its label is `kIgnoreLabel`.
  /// Throws Error unless all sides and `labels` are positive and `labels` at most 65535.
  DenseCrf(const CrfSize& size, int labels, std::span<const std::uint8_t> ignored = {},
           const CrfOptions& options = {});
  DenseCrf(DenseCrf&&) noexcept;
  DenseCrf& operator=(DenseCrf&&) noexcept;
  ~DenseCrf();

  const CrfSize& size() const;
  int labels() const;

  /// The unary term -log p, [K,N] plane after plane. Throws Error unless all are finite.
  void set_unary(std::span<const float> energies);
  /// From probabilities [K,N] (or [K,H,W], a stack's slices below each other). Those below 1e-5
  /// count as 1e-5, so that nothing is beyond doubt. Throws Error naming the pixel unless they are
  /// in 0..1, give or take 0.001, and sum to one within 1 %.
  void set_unary_probabilities(std::span<const float> probabilities);
  void set_unary_probabilities(const Probabilities& probabilities);
  /// From N labels that are right with probability `confidence`, between 1/K and 1, both excluded
  /// (with one label: any); the other labels share the rest. A pixel of `kIgnoreLabel` takes part,
  /// but all labels are equally likely. Throws Error on a label that is not below K.
  void set_unary_labels(std::span<const std::uint16_t> labels, float confidence);

  /// Kernels, as many as wanted. Each call builds the kernel's lattice, which later steps reuse,
  /// and returns the kernel's index. Throws Error on sigmas that are not positive and finite,
  /// sizes that differ, more than kMostFeatures features, and a lattice too large for 32-bit
  /// indices. O(N * d^2).
  int add_spatial(const SpatialKernel& kernel, const CrfTerm& term);
  int add_bilateral(const ImageView& picture, const BilateralKernel& kernel, const CrfTerm& term);
  /// One picture per slice, all of the same size, type and channels.
  int add_bilateral(std::span<const ImageView> slices, const BilateralKernel& kernel,
                    const CrfTerm& term);
  /// exp(-|f_i - f_j|^2 / 2) of features [N,d] pixel after pixel, already divided by their sigmas.
  int add_features(std::span<const float> features, int dimensions, const CrfTerm& term);
  /// Another weight for a kernel that is there, at no cost; its lattice stays.
  void set_weight(int kernel, float weight);
  int kernels() const;

  /// Marginals := softmax(-unary), no iteration done. Throws Error if there is no unary term.
  void start();
  /// One parallel mean-field update of all pixels. O(N * K * (d + K) * kernels), K within the
  /// brackets only with a compatibility matrix. Starts first where nobody did.
  CrfStep step();
  /// start() and `iterations` steps; `progress` is told of each, may stop with `Interrupted`.
  std::vector<CrfStep> infer(int iterations, ProgressSink* progress = nullptr);
  /// Of the marginals as they are; costs about a step.
  double free_energy() const;

  /// Marginals [K,N], plane after plane, into K*N floats; and as a value, a stack's slices below
  /// each other. Throws Error before start().
  void copy_marginals(std::span<float> out) const;
  Probabilities marginals() const&;
  /// The same at the end of a CRF's life: gives back its other memory first.
  Probabilities marginals() &&;
  /// The most likely label of each pixel, of equals the first; a stack's slices below each other.
  LabelMap most_likely() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The kernels that `settings` describe, those of weight 0 left out: the spatial one first. u8, u16
/// (65535 is full) or f32 (1 is full), all channels count. Throws Error as `check` and the members.
void add_kernels(DenseCrf& crf, const ImageView& picture, const CrfSettings& settings);

/// The CRF that `settings` describe for a picture: unary from the probabilities, a spatial and a
/// bilateral kernel, ready to infer. Throws Error if the sizes differ, and as `DenseCrf` does.
DenseCrf make_crf(const ImageView& picture, const Probabilities& probabilities,
                  const CrfSettings& settings, const CrfOptions& options = {});

/// From picture and probabilities to marginals: `make_crf`, `settings.iterations` steps.
Probabilities apply_crf(const ImageView& picture, const Probabilities& probabilities,
                        const CrfSettings& settings = {}, const CrfOptions& options = {},
                        ProgressSink* progress = nullptr);

/// The same from labels of `classes` classes, each right with probability `confidence`. Pixels of
/// `kIgnoreLabel` take no part, or, with `fill_ignored`, are labelled by what is around them (from
/// scribbles, say).
struct CrfLabels {
  int classes = 2;
  float confidence = 0.7f;
  bool fill_ignored = false;
};
DenseCrf make_crf(const ImageView& picture, const LabelMap& labels, const CrfLabels& about,
                  const CrfSettings& settings, const CrfOptions& options = {});

}  // namespace segmentum
