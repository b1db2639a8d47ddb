// The result of the label doctor as one HTML file, with the pictures that show each fault.
#pragma once

#include <filesystem>
#include <string>

#include "data/check/check.h"
#include "report/html.h"

namespace segmentum {

struct CheckReport {
  std::string title;
  std::string subtitle;  // one line: when, with which program
};

/// The findings, errors first, each with up to three of its pictures: the picture, the mask file as
/// it looks, and the labels over the picture, where pixels of no class are drawn in magenta; then
/// the classes of each split and which occur together. Reads the files that are shown.
std::string check_report_html(const CheckResult& result, const CheckReport& report);

/// The same as a file, written whole or not at all.
void write_check_report(const std::filesystem::path& path, const CheckResult& result,
                        const CheckReport& report);

/// The classes of each split: pixels, pictures (a <section>).
void write_class_shares(HtmlWriter& html, const CheckResult& result);

/// What the shares of classes suggest for a training (a <section>); nothing where no class is rare.
void write_advice(HtmlWriter& html, const CheckResult& result);

/// Which classes occur together: of the pictures that show the class of a row, the part that shows
/// that of a column (a <section>). Up to 40 classes; of more, the commonest.
void write_co_occurrence(HtmlWriter& html, const CheckResult& result);

}  // namespace segmentum
