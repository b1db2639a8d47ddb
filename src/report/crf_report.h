// What a dense CRF does to a picture, seen: labels step by step, the energy that it lowers, and
// scores near borders.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "infer/crf_search.h"
#include "metrics/trimap.h"
#include "segmentum/classes.h"
#include "segmentum/crf.h"
#include "segmentum/image.h"

namespace segmentum {

/// The course of an inference.
struct CrfCourse {
  struct Labels {
    int iterations = 0;
    LabelMap map;
  };
  std::vector<Labels> labels;       // after 0, 1, 2, 5, 10, 20, 50, ... iterations and the last one
  std::vector<double> free_energy;  // after 0, 1, 2, ... iterations, in nats
  std::vector<double> change;       // of each iteration (CrfStep::change)
};

/// Runs the CRF from its start, and looks at it on the way.
CrfCourse follow(DenseCrf& crf, int iterations);

/// Counts near borders, before and after.
struct CrfTrimaps {
  std::string of;  // which pictures
  TrimapCounts before;
  TrimapCounts after;
};

/// What there is to tell. `truth` may be empty; it is ignored wherever the labels are.
struct CrfReport {
  std::string title;
  std::string subtitle;  // one line: when, with which program
  CrfSettings settings;
  std::vector<ClassInfo> classes;
  std::string picture_name;
  Image picture;
  LabelMap truth;
  CrfCourse course;
  std::optional<CrfTrimaps> trimaps;
  std::optional<CrfSearch> search;
};

/// The report as one page, in the style of `report_html`. Throws Error if sizes differ.
std::string crf_report_html(const CrfReport& report);

/// The same as a file, written whole or not at all.
void write_crf_report(const std::filesystem::path& path, const CrfReport& report);

}  // namespace segmentum
