// Files that are missing or damaged, and pictures that do not fit their masks or the data set.
#include <fmt/format.h>

#include <cmath>

#include "data/check/border_contrast.h"
#include "data/check/checkup.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

bool transposes(int orientation) {
  return orientation >= 5 && orientation <= 8;
}

void check_missing(Checkup& checkup) {
  Finding listed{.fault = Fault::missing_file,
                 .severity = Severity::error,
                 .what = "files are listed but not there; training stops at the first",
                 .fix = "put them there, or take them out of the lists",
                 .repaired = true};
  Finding left_out{.fault = Fault::missing_file,
                   .severity = Severity::warning,
                   .what = "lists name files that are not there; training goes on without them",
                   .fix = "put them there, or take them out of the lists",
                   .repaired = true};
  for (CheckedSample& sample : checkup.samples) {
    if (sample.picture.missing) listed.add(sample.picture_file());
    if (sample.mask.missing) listed.add(sample.mask_file());
    if (sample.picture.missing || sample.mask.missing) {
      sample.remedy.left_out = "its files are not there";
    }
  }
  for (const auto& path : checkup.absent) left_out.add({.path = path});
  checkup.add(std::move(listed));
  checkup.add(std::move(left_out));
}

void check_readable(Checkup& checkup) {
  Finding pictures{.fault = Fault::unreadable_picture,
                   .severity = Severity::error,
                   .what = "pictures cannot be read; training stops at the first",
                   .fix = "get them again, or leave them out",
                   .repaired = true};
  Finding masks{.fault = Fault::unreadable_mask,
                .severity = Severity::error,
                .what = "masks cannot be read; training stops at the first",
                .fix = "get them again, or leave them out",
                .repaired = true};
  for (CheckedSample& sample : checkup.samples) {
    if (!sample.picture.error.empty()) pictures.add(sample.picture_file(sample.picture.error));
    if (!sample.mask.error.empty()) masks.add(sample.mask_file(sample.mask.error));
    if (!sample.picture.error.empty() || !sample.mask.error.empty()) {
      sample.remedy.left_out = "it cannot be read";
    }
  }
  checkup.add(std::move(pictures));
  checkup.add(std::move(masks));
}

/// Whether the mask shows the whole picture at another scale.
bool same_shape(const MaskContent& mask, const ImageSize& picture) {
  const double scale_y = static_cast<double>(mask.height) / picture.height;
  const double scale_x = static_cast<double>(mask.width) / picture.width;
  return std::abs(scale_y * picture.height - scale_x * picture.height) <= 1.5 ||
         std::abs(scale_y / scale_x - 1) < 0.01;
}

struct SizeFindings {
  Finding rotated{.fault = Fault::rotated_picture,
                  .severity = Severity::error,
                  .what =
                      "pictures are turned by their EXIF or TIFF tag, their masks are drawn on "
                      "the picture as it is stored",
                  .fix = "turn the masks, or the pictures for good; --fix DIR turns the masks",
                  .repaired = true};
  Finding mismatch{.fault = Fault::size_mismatch,
                   .severity = Severity::error,
                   .what = "masks have another size than their pictures",
                   .fix =
                       "export them at the pictures' size; --fix DIR enlarges or shrinks those of "
                       "the same shape by nearest neighbour and leaves out the others",
                   .repaired = true};
};

void compare_sizes(CheckedSample& sample, SizeFindings& findings) {
  const ImageSize& picture = sample.picture.size;
  const MaskContent& mask = sample.mask.content;
  if (picture.height == mask.height && picture.width == mask.width) return;
  const std::string detail =
      fmt::format("is {}x{} but its picture {} is {}x{} (width x height)", mask.width, mask.height,
                  sample.sample.image.generic_string(), picture.width, picture.height);
  const int orientation = sample.picture.form.orientation;
  if (transposes(orientation) && picture.height == mask.width && picture.width == mask.height) {
    findings.rotated.add(sample.mask_file(fmt::format("{}, orientation {}", detail, orientation)));
    sample.remedy.turn_mask = orientation;
  } else {
    findings.mismatch.add(sample.mask_file(detail));
    sample.remedy.resize_mask = same_shape(mask, picture);
    if (!sample.remedy.resize_mask) sample.remedy.left_out = "its mask has another shape";
  }
}

/// A turned picture whose mask fits both ways by its size: labels end where pictures change.
void compare_borders(const Checkup& checkup, CheckedSample& sample, Finding& finding) {
  constexpr double kClearlyBetter = 1.15;
  const int orientation = sample.picture.form.orientation;
  if (orientation == 1 || sample.remedy.turn_mask != 1) return;
  const TurnedContrast contrast = turned_contrast(checkup.dataset, sample.sample, orientation);
  if (contrast.as_stored < kClearlyBetter * contrast.upright) return;
  finding.add(sample.mask_file(
      fmt::format("orientation {}; along its borders the picture changes {:.1f} times as much as "
                  "elsewhere if both are taken as stored, {:.1f} times as turned",
                  orientation, contrast.as_stored, contrast.upright)));
  sample.remedy.turn_mask = orientation;
}

void check_sizes(Checkup& checkup) {
  SizeFindings findings;
  Finding borders{.fault = Fault::rotated_picture,
                  .severity = Severity::warning,
                  .what = "pictures are turned by their tag, and their masks fit better without",
                  .fix = "look at them; --fix DIR turns the masks too",
                  .repaired = true};
  for (CheckedSample& sample : checkup.samples) {
    if (!sample.picture.readable() || !sample.mask.readable()) continue;
    compare_sizes(sample, findings);
    const bool same = sample.picture.size.height == sample.mask.content.height &&
                      sample.picture.size.width == sample.mask.content.width;
    if (same && checkup.picture_pixels) compare_borders(checkup, sample, borders);
  }
  checkup.add(std::move(findings.rotated));
  checkup.add(std::move(findings.mismatch));
  checkup.add(std::move(borders));
}

/// As `to_tensor` takes them.
bool channels_fit(int have, int wanted) {
  if (have == wanted || (have == wanted + 1 && (wanted == 1 || wanted == 3))) return true;
  return (have <= 2 && wanted == 3) || ((have == 3 || have == 4) && wanted == 1);
}

void check_channels(Checkup& checkup) {
  const int wanted = checkup.dataset.channels;
  Finding finding{.fault = Fault::picture_channels,
                  .severity = Severity::error,
                  .what = fmt::format("pictures do not have the {} channel{} of the data set",
                                      wanted, wanted == 1 ? "" : "s"),
                  .fix = "convert them, or give each kind a data set of its own",
                  .repaired = true};
  for (CheckedSample& sample : checkup.samples) {
    const int have = sample.picture.size.channels;
    if (!sample.picture.readable() || channels_fit(have, wanted)) continue;
    finding.add(sample.picture_file(fmt::format("{} channels", have)));
    sample.remedy.left_out = "its picture has other channels";
  }
  checkup.add(std::move(finding));
}

void check_flat_pictures(Checkup& checkup) {
  constexpr float kNoContrast = 0.05f;
  Finding finding{.fault = Fault::constant_picture,
                  .severity = Severity::warning,
                  .what = "pictures show one grey value and nothing else",
                  .fix = "look at them: were they exported rightly?"};
  for (const CheckedSample& sample : checkup.samples) {
    if (!sample.picture.readable() || sample.picture.print.contrast > kNoContrast) continue;
    const ImageSize& size = sample.picture.size;
    if (size.height * size.width > 1) finding.add(sample.picture_file());
  }
  checkup.add(std::move(finding));
}

void check_unlabelled(Checkup& checkup) {
  Finding finding{.fault = Fault::no_mask,
                  .severity = Severity::warning,
                  .what = "pictures of a split have no mask; training and scoring leave them out",
                  .fix = "label them, or take them out of the split",
                  .repaired = true};
  for (CheckedSample& sample : checkup.samples) {
    if (sample.has_mask()) continue;
    finding.add(sample.picture_file());
    sample.remedy.left_out = "it has no mask";
  }
  checkup.add(std::move(finding));
}

}  // namespace

void check_files(Checkup& checkup) {
  check_missing(checkup);
  check_readable(checkup);
  check_unlabelled(checkup);
  check_sizes(checkup);
  check_channels(checkup);
  if (checkup.picture_pixels) check_flat_pictures(checkup);
}

}  // namespace segmentum
