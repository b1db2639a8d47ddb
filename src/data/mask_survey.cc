#include "data/mask_survey.h"

#include "data/file_role.h"
#include "data/label_values.h"
#include "data/soft_edges.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using Kind = LabelEncoding::Kind;

// The pixels of each number of one mask, in runs because masks are made of them.
std::map<std::uint32_t, std::int64_t> count_values(const RawMask& mask, Kind kind) {
  std::map<std::uint32_t, std::int64_t> pixels;
  std::vector<std::uint32_t> row;
  for (int y = 0; y < mask.values.height(); ++y) {
    mask_row(mask, kind, y, row);
    for (std::size_t x = 0; x < row.size();) {
      std::size_t end = x;
      while (end < row.size() && row[end] == row[x]) ++end;
      pixels[row[x]] += static_cast<std::int64_t>(end - x);
      x = end;
    }
  }
  return pixels;
}

bool counts_up(const std::map<std::uint32_t, std::int64_t>& pixels) {
  return pixels.begin()->first == 0 && pixels.rbegin()->first + 1 == pixels.size();
}

void add_blended(const RawMask& mask, MaskSurvey& survey) {
  for (const auto& [colour, count] : blended_pixels(mask)) {
    if (survey.blended.size() < kMostMaskValues) survey.blended[colour] += count;
  }
}

void add_mask(const RawMask& mask, MaskSurvey& survey) {
  const auto pixels = count_values(mask, survey.kind);
  if (survey.kind == Kind::value && pixels.contains(kNoMaskValue) && mask.values.channels() >= 3) {
    survey.kind = Kind::colour;
    return;
  }
  ++survey.masks;
  if (!mask.palette.empty()) {
    if (survey.palette_masks++ == 0) survey.palette = mask.palette;
  }
  survey.wide_masks += mask.values.type() != PixelType::u8;
  for (const auto& [value, count] : pixels) {
    survey.all_pixels += count;
    if (survey.pixels.size() < kMostMaskValues) {
      survey.pixels[value] += count;
    } else {
      survey.too_many_values = true;
    }
  }
  if (survey.kind == Kind::colour) add_blended(mask, survey);
  if (counts_up(pixels)) ++survey.counted_to[pixels.rbegin()->first];
}

// One pass; it ends early where the first colour shows that values are the wrong thing to count.
MaskSurvey survey_as(Kind kind, const std::filesystem::path& root,
                     std::span<const Sample> samples) {
  MaskSurvey survey{.kind = kind};
  for (const Sample& sample : samples) {
    try {
      add_mask(read_mask(root / sample.mask), survey);
      if (survey.kind != kind) return survey;
      survey.jpeg_masks += is_jpeg_file(sample.mask);
    } catch (const Error& error) {
      survey.errors.push_back(error.what());
    }
  }
  return survey;
}

}  // namespace

double MaskSurvey::share(std::uint32_t value) const {
  const auto found = pixels.find(value);
  if (found == pixels.end() || all_pixels == 0) return 0;
  return static_cast<double>(found->second) / static_cast<double>(all_pixels);
}

MaskSurvey survey_masks(const std::filesystem::path& root, std::span<const Sample> samples) {
  MaskSurvey survey = survey_as(Kind::value, root, samples);
  return survey.kind == Kind::value ? survey : survey_as(Kind::colour, root, samples);
}

}  // namespace segmentum
