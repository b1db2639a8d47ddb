// Two models on the same pictures, side by side: which is better, how surely, and where.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "infer/evaluation_file.h"
#include "report/notable_pictures.h"
#include "segmentum/classes.h"

namespace segmentum {

/// A picture to show; all of one size.
struct ChangedPicture {
  ReportPicture a;  // its score is that of model a
  LabelMap prediction_b;
  double score_b = 0;
};

struct CompareReport {
  std::string title;
  std::string subtitle;  // one line: when, with which program
  Comparison comparison;
  std::vector<ClassInfo> classes;       // with colours; empty where no picture is shown
  std::vector<ChangedPicture> changed;  // the most first; may be empty
};

/// The report as one page, in the style of `report_html`: the difference with its interval and
/// p-value, both models' IoU of each class, the pictures that changed most, and for those in
/// `changed` the picture, the truth, both predictions, and where one is right and the other wrong.
std::string compare_report_html(const CompareReport& report);

/// The same as a file, written whole or not at all.
void write_compare_report(const std::filesystem::path& path, const CompareReport& report);

/// Indices of `pictures` by how much they changed, the most first.
std::vector<std::size_t> most_changed(const std::vector<ComparedPicture>& pictures);

/// The difference, its interval and what the test says, in a few sentences for a person.
std::string verdict(const PairedTest& test);

}  // namespace segmentum
