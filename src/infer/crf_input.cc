#include "infer/crf_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/label_values.h"
#include "image/codec.h"
#include "infer/labelling.h"
#include "infer/npy.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kGreatestByte = 255;
constexpr std::uint32_t kGreatestWord = 65535;

/// The values of a file [H,W] before it is known which are classes.
struct RawLabels {
  int height = 0;
  int width = 0;
  std::vector<std::uint32_t> values;
  bool deep = false;
  std::vector<Rgb> palette;
};

RawLabels raw_labels(const RawMask& mask) {
  RawLabels raw{.height = mask.values.height(),
                .width = mask.values.width(),
                .deep = mask.values.type() != PixelType::u8,
                .palette = mask.palette};
  std::vector<std::uint32_t> row;
  for (int y = 0; y < raw.height; ++y) {
    mask_row(mask, LabelEncoding::Kind::value, y, row);
    const auto bad = std::ranges::find_if(row, [](auto value) { return value > kGreatestWord; });
    if (bad != row.end()) {
      throw Error(fmt::format(
          "holds no label at x={}, y={}; expected class indices in grey or palette pixels, up to "
          "65535 (colours are no labels)",
          bad - row.begin(), y));
    }
    raw.values.insert(raw.values.end(), row.begin(), row.end());
  }
  return raw;
}

/// The value that means "ignored" in this file, if any does.
std::optional<std::uint32_t> ignore_value_of(const RawLabels& raw, const LabelRule& rule) {
  if (rule.ignore_value) {
    if (*rule.ignore_value < 0) return std::nullopt;
    return static_cast<std::uint32_t>(*rule.ignore_value);
  }
  if (raw.deep) return kGreatestWord;
  if (rule.classes > 0) {
    return rule.classes <= static_cast<int>(kGreatestByte) ? std::optional(kGreatestByte)
                                                           : std::nullopt;
  }
  const bool two_values = std::ranges::all_of(
      raw.values, [](auto value) { return value == 0 || value == kGreatestByte; });
  return two_values ? std::nullopt : std::optional(kGreatestByte);
}

/// The file's value of each class, ascending.
std::vector<std::uint16_t> values_of_classes(const RawLabels& raw, const LabelRule& rule,
                                             std::optional<std::uint32_t> ignore) {
  std::vector<std::uint16_t> values;
  if (rule.classes > 0) {
    values.resize(static_cast<std::size_t>(rule.classes));
    std::iota(values.begin(), values.end(), std::uint16_t{0});
    return values;
  }
  std::vector<bool> seen(kGreatestWord + 1);
  for (std::uint32_t value : raw.values) seen[value] = true;
  for (std::uint32_t value = 0; value <= kGreatestWord; ++value) {
    if (seen[value] && value != ignore) values.push_back(static_cast<std::uint16_t>(value));
  }
  if (values.empty()) throw Error("has no pixel with a label");
  return values;
}

LabelFile labels_from(RawLabels raw, const LabelRule& rule) {
  const std::optional<std::uint32_t> ignore = ignore_value_of(raw, rule);
  const bool deep = raw.deep || rule.classes > static_cast<int>(kGreatestByte) + 1;
  LabelFile file{.labels = LabelMap(raw.height, raw.width),
                 .values = values_of_classes(raw, rule, ignore),
                 .ignore_value = static_cast<std::uint16_t>(
                     ignore.value_or(deep ? kGreatestWord : kGreatestByte)),
                 .deep = deep,
                 .palette = std::move(raw.palette)};
  std::vector<std::uint16_t> class_of(kGreatestWord + 1, kIgnoreLabel);
  for (std::size_t k = 0; k < file.values.size(); ++k) {
    class_of[file.values[k]] = static_cast<std::uint16_t>(k);
  }
  for (std::size_t i = 0; i < raw.values.size(); ++i) {
    const std::uint32_t value = raw.values[i];
    const std::uint16_t label = value == ignore ? kIgnoreLabel : class_of[value];
    if (label == kIgnoreLabel && value != ignore) {
      throw Error(fmt::format("has the label {}, but there are {} classes (0..{})", value,
                              rule.classes, rule.classes - 1));
    }
    file.labels.labels()[i] = label;
  }
  return file;
}

/// Class 0 and class 1 from the probability of class 1.
Probabilities from_foreground(std::span<const float> values, int height, int width) {
  Probabilities result(2, height, width);
  const auto both = result.values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    both[i] = 1 - values[i];
    both[values.size() + i] = values[i];
  }
  return result;
}

template <typename T>
Probabilities from_bands(const Image& image, float full_scale) {
  Probabilities result(image.channels(), image.height(), image.width());
  for (int y = 0; y < image.height(); ++y) {
    const T* row = image.row<T>(y);
    for (int x = 0; x < image.width(); ++x) {
      for (int k = 0; k < image.channels(); ++k) {
        result.row(k, y)[x] = static_cast<float>(*row++) / full_scale;
      }
    }
  }
  return result;
}

bool has_fractions(const Image& image) {
  const std::span<const float> values(image.row<float>(0),
                                      static_cast<std::size_t>(image.height()) * image.width());
  return std::ranges::any_of(values, [](float value) { return value != std::floor(value); });
}

CrfInput input_from(const RawMask& mask, const LabelRule& rule) {
  const Image& values = mask.values;
  if (values.channels() > 1 && values.type() == PixelType::f32) return from_bands<float>(values, 1);
  if (values.channels() > 1 && values.type() == PixelType::u16) {
    return from_bands<std::uint16_t>(values, kGreatestWord);
  }
  if (values.type() == PixelType::f32 && has_fractions(values)) {
    return from_foreground(
        {values.row<float>(0), static_cast<std::size_t>(values.height()) * values.width()},
        values.height(), values.width());
  }
  return labels_from(raw_labels(mask), rule);
}

CrfInput input_from(const NpyArray& array, const LabelRule& rule) {
  std::vector<std::int64_t> extents;
  for (int axis = 0; axis < array.shape.rank(); ++axis) extents.push_back(array.shape[axis]);
  while (extents.size() > 2 && extents.front() == 1) extents.erase(extents.begin());
  constexpr std::int64_t kLongest = 1 << 30;
  if (extents.size() < 2 || extents.size() > 3 ||
      std::ranges::any_of(extents, [](auto extent) { return extent > kLongest; })) {
    throw Error("is of shape " + array.shape.to_string() +
                "; expected probabilities [K,H,W] or labels [H,W]");
  }
  const int height = static_cast<int>(extents[extents.size() - 2]);
  const int width = static_cast<int>(extents.back());
  if (extents.size() == 3) {
    Probabilities result(static_cast<int>(extents[0]), height, width);
    std::ranges::copy(array.values, result.values().begin());
    return result;
  }
  if (!array.whole_numbers) return from_foreground(array.values, height, width);
  RawLabels raw{.height = height, .width = width};
  for (float value : array.values) {
    if (value < 0 || value > kGreatestWord) {
      throw Error(fmt::format("has the label {}; expected 0..65535", value));
    }
    raw.values.push_back(static_cast<std::uint32_t>(value));
  }
  raw.deep = std::ranges::any_of(raw.values, [](auto value) { return value > kGreatestByte; });
  return labels_from(std::move(raw), rule);
}

/// Labels as the values of their file.
Image grey_file(const LabelMap& values, bool deep) {
  Image image(values.height(), values.width(), 1, deep ? PixelType::u16 : PixelType::u8);
  for (int y = 0; y < values.height(); ++y) {
    for (int x = 0; x < values.width(); ++x) {
      if (deep) {
        image.row<std::uint16_t>(y)[x] = values(y, x);
      } else {
        image.row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(values(y, x));
      }
    }
  }
  return image;
}

void write_like(const fs::path& path, const LabelMap& labels, const LabelFile& file) {
  LabelMap values(labels.height(), labels.width());
  std::ranges::transform(labels.labels(), values.labels().begin(), [&](std::uint16_t label) {
    return label < file.values.size() ? file.values[label] : file.ignore_value;
  });
  if (file.palette.empty() || file.deep) return write_png(path, grey_file(values, file.deep));
  // A palette file writes what is ignored as 255, whatever that means in this one.
  Palette palette{.colours = file.palette};
  if (palette.colours.size() > kGreatestByte) {
    palette.ignore = palette.colours[kGreatestByte];
    palette.colours.resize(kGreatestByte);
  }
  for (std::uint16_t& value : values.labels()) {
    if (value == kGreatestByte) value = kIgnoreLabel;
  }
  write_label_png(path, values, palette);
}

void require_size(const Image& picture, int height, int width, const std::string& what) {
  if (picture.height() == height && picture.width() == width) return;
  throw Error(fmt::format("the picture is {}x{} but {} {}x{} (width x height)", picture.width(),
                          picture.height(), what, width, height));
}

void require_fit(const Image& picture, const CrfInput& input) {
  if (const auto* file = std::get_if<LabelFile>(&input)) {
    return require_size(picture, file->labels.height(), file->labels.width(), "the labels are");
  }
  const auto& p = std::get<Probabilities>(input);
  if (p.classes() == picture.height() && p.height() == picture.width()) {
    throw Error(fmt::format(
        "the probabilities are [{},{},{}], rows, columns, classes; expected [classes, rows, "
        "columns], as numpy.transpose(p, (2, 0, 1)) makes them",
        p.classes(), p.height(), p.width()));
  }
  require_size(picture, p.height(), p.width(),
               fmt::format("the probabilities of {} classes are", p.classes()));
}

/// The unary term alone: what goes wrong here is the input's fault.
DenseCrf without_kernels(const Image& picture, const CrfInput& input, const fs::path& name,
                         const LabelTrust& trust) {
  const CrfSettings none{.spatial_weight = 0, .bilateral_weight = 0};
  try {
    if (const auto* file = std::get_if<LabelFile>(&input)) {
      return make_crf(picture, file->labels,
                      {.classes = class_count(input),
                       .confidence = trust.confidence,
                       .fill_ignored = trust.fill_ignored},
                      none);
    }
    return make_crf(picture, std::get<Probabilities>(input), none);
  } catch (const Error& error) {
    throw Error::in_file(name.string(), error.what());
  }
}

}  // namespace

CrfInput read_crf_input(const fs::path& path, const LabelRule& rule) {
  if (is_npy_file(path)) {
    const NpyArray array = read_npy(path);
    try {
      return input_from(array, rule);
    } catch (const Error& error) {
      throw Error::in_file(path.string(), error.what());
    }
  }
  const RawMask mask = read_mask(path);
  try {
    return input_from(mask, rule);
  } catch (const Error& error) {
    throw Error::in_file(path.string(), error.what());
  }
}

int class_count(const CrfInput& input) {
  const auto* file = std::get_if<LabelFile>(&input);
  return file ? static_cast<int>(file->values.size()) : std::get<Probabilities>(input).classes();
}

LabelMap labels_of(const CrfInput& input) {
  if (const auto* file = std::get_if<LabelFile>(&input)) return file->labels;
  return most_probable(std::get<Probabilities>(input), false);
}

LabelMap read_truth(const fs::path& path, const CrfInput& input) {
  const RawMask mask = read_mask(path);
  try {
    const RawLabels raw = raw_labels(mask);
    const LabelMap labels = labels_of(input);
    if (raw.height != labels.height() || raw.width != labels.width()) {
      throw Error(fmt::format("is {}x{} but the picture is {}x{} (width x height)", raw.width,
                              raw.height, labels.width(), labels.height()));
    }
    LabelMap truth(raw.height, raw.width, kIgnoreLabel);
    const auto* file = std::get_if<LabelFile>(&input);
    for (std::size_t i = 0; i < raw.values.size(); ++i) {
      const std::uint32_t value = raw.values[i];
      if (!file) {
        if (value < static_cast<std::uint32_t>(class_count(input))) {
          truth.labels()[i] = static_cast<std::uint16_t>(value);
        }
        continue;
      }
      const auto found = std::ranges::lower_bound(file->values, value);
      if (found != file->values.end() && *found == value) {
        truth.labels()[i] = static_cast<std::uint16_t>(found - file->values.begin());
      }
    }
    return truth;
  } catch (const Error& error) {
    throw Error::in_file(path.string(), error.what());
  }
}

Palette palette_of(const CrfInput& input) {
  const auto* file = std::get_if<LabelFile>(&input);
  if (!file) return Palette::voc(class_count(input));
  Palette palette;
  const Palette voc = Palette::voc(file->values.back() + 1);
  for (const std::uint16_t value : file->values) {
    const auto& colours = value < file->palette.size() ? file->palette : voc.colours;
    palette.colours.push_back(colours[value]);
  }
  return palette;
}

void write_labels_like(const fs::path& path, const LabelMap& labels, const CrfInput& input) {
  if (const auto* file = std::get_if<LabelFile>(&input)) return write_like(path, labels, *file);
  write_label_png(path, labels, palette_of(input));
}

DenseCrf crf_of(const Image& picture, const CrfInput& input, const fs::path& file,
                const LabelTrust& trust, const CrfSettings& settings) {
  require_fit(picture, input);
  check(settings);
  DenseCrf crf = without_kernels(picture, input, file, trust);
  add_kernels(crf, picture, settings);
  return crf;
}

}  // namespace segmentum
