// The numbers of a dense CRF as options, and as words and JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/json_object.h"
#include "metrics/boundary.h"
#include "segmentum/crf.h"
#include "segmentum/progress.h"
#include "segmentum/segmenter.h"

namespace segmentum {

class Arguments;

/// What the person gave; what they did not give stays as it is elsewhere.
class CrfArguments {
 public:
  void declare(Arguments& arguments);
  /// `base` with what was given. Throws UsageError on an unknown normalisation.
  CrfSettings over(CrfSettings base) const;

 private:
  std::optional<std::int64_t> iterations_;
  std::optional<double> spatial_sigma_;
  std::optional<double> spatial_weight_;
  std::optional<double> bilateral_sigma_;
  std::optional<double> colour_sigma_;
  std::optional<double> bilateral_weight_;
  std::string normalisation_;
};

/// How far a border may be off, as the person wrote it; the usual where they did not. Throws
/// UsageError.
BoundaryTolerance tolerance_argument(const std::string& text);

/// Lines for a person: which settings a segmenter's CRF runs with and where they come from, and
/// what to know about a network that has a CRF inside.
void tell_of_crf(const Segmenter& segmenter, ProgressSink& progress);
/// The latter where the CRF is put behind it by other means.
void tell_of_second_crf(const Segmenter& segmenter, ProgressSink& progress);

JsonObject json_of(const CrfSettings& settings);

}  // namespace segmentum
