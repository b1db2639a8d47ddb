#include "segmentum/crf.h"

#include <array>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "base/counted.h"
#include "base/threads.h"
#include "crf/exact_filter.h"
#include "crf/kernel.h"
#include "crf/lattice_filter.h"
#include "crf/mean_field.h"
#include "crf/unary.h"

namespace segmentum {
namespace {

CrfDomain domain_of(const CrfSize& size, int labels, std::span<const std::uint8_t> ignored) {
  if (size.depth < 1 || size.height < 1 || size.width < 1) {
    throw Error("a CRF of " + std::to_string(size.depth) + "x" + std::to_string(size.height) + "x" +
                std::to_string(size.width) + " pixels; all sides must be positive");
  }
  if (labels < 1 || labels > kIgnoreLabel) {
    throw Error("a CRF of " + counted(labels, "label") + "; 1 to 65535 are possible");
  }
  return {size, labels, ActivePixels(size.pixels(), ignored)};
}

std::unique_ptr<const PairwiseFilter> make_filter(const Features& features,
                                                  CrfOptions::Filter filter) {
  if (filter == CrfOptions::Filter::exact) return std::make_unique<ExactFilter>(features);
  return std::make_unique<LatticeFilter>(features);
}

Probabilities planes_of(const CrfDomain& domain, const Block<float>& rows) {
  Probabilities planes(domain.labels, domain.size.depth * domain.size.height, domain.size.width);
  rows_to_planes(domain, rows, planes.values());
  return planes;
}

std::string free_energy_text(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "free energy %.6g", value);
  return text.data();
}

}  // namespace

struct DenseCrf::State {
  CrfDomain domain;
  CrfOptions options;
  std::optional<Block<float>> unary;
  std::vector<Kernel> kernels;
  std::optional<MeanField> field;

  int add(const Features& features, const CrfTerm& term) {
    field.reset();
    kernels.emplace_back(make_filter(features, options.filter), term, domain.labels);
    return static_cast<int>(kernels.size()) - 1;
  }
  void set(Block<float> rows) {
    field.reset();
    unary = std::move(rows);
  }
  void start() {
    if (!unary) throw Error("the CRF has no unary term; set one before it starts");
    field.reset();  // its memory is free before the next one's is taken
    field.emplace(domain.labels, *unary, kernels);
  }
  const Block<float>& marginals() const {
    if (!field) throw Error("the CRF has no marginals yet; call start() or infer()");
    return field->marginals();
  }
};

DenseCrf::DenseCrf(const CrfSize& size, int labels, std::span<const std::uint8_t> ignored,
                   const CrfOptions& options)
    : state_(new State{domain_of(size, labels, ignored), options, {}, {}, {}}) {}
DenseCrf::DenseCrf(DenseCrf&&) noexcept = default;
DenseCrf& DenseCrf::operator=(DenseCrf&&) noexcept = default;
DenseCrf::~DenseCrf() = default;

const CrfSize& DenseCrf::size() const {
  return state_->domain.size;
}

int DenseCrf::labels() const {
  return state_->domain.labels;
}

void DenseCrf::set_unary(std::span<const float> energies) {
  const ThreadsInScope scope(state_->options.threads);
  state_->set(unary_of_energies(state_->domain, energies));
}

void DenseCrf::set_unary_probabilities(std::span<const float> probabilities) {
  const ThreadsInScope scope(state_->options.threads);
  state_->set(unary_of_probabilities(state_->domain, probabilities));
}

void DenseCrf::set_unary_probabilities(const Probabilities& probabilities) {
  const CrfSize& s = size();
  if (probabilities.classes() != labels() || probabilities.width() != s.width ||
      probabilities.height() != s.depth * s.height) {
    throw Error("probabilities of " + counted(probabilities.classes(), "class") + ", " +
                std::to_string(probabilities.width()) + "x" +
                std::to_string(probabilities.height()) + " pixels, for a CRF of " +
                counted(labels(), "label") + ", " + std::to_string(s.width) + "x" +
                std::to_string(s.depth * s.height));
  }
  set_unary_probabilities(probabilities.values());
}

void DenseCrf::set_unary_labels(std::span<const std::uint16_t> labels, float confidence) {
  const ThreadsInScope scope(state_->options.threads);
  state_->set(unary_of_labels(state_->domain, labels, confidence));
}

int DenseCrf::add_spatial(const SpatialKernel& kernel, const CrfTerm& term) {
  const ThreadsInScope scope(state_->options.threads);
  return state_->add(spatial_features(size(), kernel, state_->domain.active), term);
}

int DenseCrf::add_bilateral(const ImageView& picture, const BilateralKernel& kernel,
                            const CrfTerm& term) {
  return add_bilateral(std::span(&picture, 1), kernel, term);
}

int DenseCrf::add_bilateral(std::span<const ImageView> slices, const BilateralKernel& kernel,
                            const CrfTerm& term) {
  const ThreadsInScope scope(state_->options.threads);
  return state_->add(bilateral_features(size(), slices, kernel, state_->domain.active), term);
}

int DenseCrf::add_features(std::span<const float> features, int dimensions, const CrfTerm& term) {
  const ThreadsInScope scope(state_->options.threads);
  return state_->add(given_features(features, dimensions, size(), state_->domain.active), term);
}

void DenseCrf::set_weight(int kernel, float weight) {
  if (kernel < 0 || kernel >= kernels()) {
    throw Error("kernel " + std::to_string(kernel) + " of " + std::to_string(kernels()) +
                ", counted from 0");
  }
  state_->kernels[kernel].set_weight(weight);
}

int DenseCrf::kernels() const {
  return static_cast<int>(state_->kernels.size());
}

void DenseCrf::start() {
  const ThreadsInScope scope(state_->options.threads);
  state_->start();
}

CrfStep DenseCrf::step() {
  const ThreadsInScope scope(state_->options.threads);
  if (!state_->field) state_->start();
  return state_->field->step();
}

std::vector<CrfStep> DenseCrf::infer(int iterations, ProgressSink* progress) {
  if (iterations < 0) {
    throw Error(std::to_string(iterations) + " iterations were asked for; 0 or more are possible");
  }
  const ThreadsInScope scope(state_->options.threads);
  state_->start();
  std::vector<CrfStep> steps;
  if (progress) progress->begin("mean field", iterations, "step");
  for (int i = 0; i < iterations; ++i) {
    if (progress && progress->stop_requested()) throw Interrupted();
    steps.push_back(state_->field->step());
    if (progress) progress->update(i + 1, free_energy_text(steps.back().free_energy_before));
  }
  if (progress) progress->end();
  return steps;
}

double DenseCrf::free_energy() const {
  const ThreadsInScope scope(state_->options.threads);
  state_->marginals();  // throws where there are none
  return state_->field->free_energy();
}

void DenseCrf::copy_marginals(std::span<float> out) const {
  const ThreadsInScope scope(state_->options.threads);
  rows_to_planes(state_->domain, state_->marginals(), out);
}

Probabilities DenseCrf::marginals() const& {
  const ThreadsInScope scope(state_->options.threads);
  return planes_of(state_->domain, state_->marginals());
}

Probabilities DenseCrf::marginals() && {
  const ThreadsInScope scope(state_->options.threads);
  state_->marginals();  // throws where there are none
  const Block<float> rows = std::move(*state_->field).marginals();
  state_->field.reset();
  state_->kernels.clear();
  state_->unary.reset();
  return planes_of(state_->domain, rows);
}

LabelMap DenseCrf::most_likely() const {
  const CrfSize& s = size();
  const Block<float>& rows = state_->marginals();
  const ThreadsInScope scope(state_->options.threads);
  LabelMap map(s.depth * s.height, s.width);
  most_likely_of_rows(state_->domain, rows, map.labels());
  return map;
}

}  // namespace segmentum
