// TIFF files of several pages, one of pictures and one of masks, as ISBI 2012's volumes lie.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "annotations/source_formats.h"
#include "base/counted.h"
#include "data/file_role.h"
#include "data/folder_layout.h"
#include "data/label_values.h"
#include "image/codec.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostClasses = 256;

struct Stack {
  fs::path pictures, masks;
  std::string split;
  int pages = 0;
};

/// The pairs of TIFF files with several pages in each.
std::vector<Stack> find_stacks(const fs::path& folder) {
  std::vector<Stack> stacks;
  for (const auto& [split, samples] : find_samples(folder).splits) {
    for (const Sample& sample : samples) {
      if (!is_tiff_file(sample.image) || !is_tiff_file(sample.mask)) continue;
      Stack stack{folder / sample.image, folder / sample.mask, split == kUndivided ? "" : split,
                  page_count(folder / sample.image)};
      if (stack.pages > 1) stacks.push_back(std::move(stack));
    }
  }
  return stacks;
}

void visit_values(const RawMask& mask, std::set<std::uint32_t>& values) {
  std::vector<std::uint32_t> row;
  for (int y = 0; y < mask.values.height(); ++y) {
    mask_row(mask, LabelEncoding::Kind::value, y, row);
    for (std::size_t x = 0; x < row.size(); ++x) {
      if (x == 0 || row[x] != row[x - 1]) values.insert(row[x]);
    }
    if (values.size() > kMostClasses || values.contains(kNoMaskValue)) {
      throw Error("holds too many values or colours to be classes");
    }
  }
}

/// The values that occur in all masks, as classes in their order.
std::set<std::uint32_t> values_of(const std::vector<Stack>& stacks) {
  std::set<std::uint32_t> values;
  for (const Stack& stack : stacks) {
    if (const int pages = page_count(stack.masks); pages != stack.pages) {
      throw Error::in_file(stack.masks.string(),
                           fmt::format("has {}, but {} has {}", counted(pages, "page"),
                                       stack.pictures.string(), stack.pages));
    }
    try {
      for (int page = 0; page < stack.pages; ++page)
        visit_values(read_mask(stack.masks, {.page = page}), values);
    } catch (const Error& error) {
      const std::string what = error.what();
      if (what.starts_with(stack.masks.string())) throw;
      throw Error::in_file(stack.masks.string(), what);
    }
  }
  return values;
}

std::vector<ClassInfo> classes_of(const std::set<std::uint32_t>& values) {
  const Palette palette = Palette::voc(static_cast<int>(values.size()));
  if (values.size() == 2 && *values.begin() == 0) {
    return {{"background", palette.colours[0]}, {"foreground", palette.colours[1]}};
  }
  std::vector<ClassInfo> classes;
  for (const std::uint32_t value : values) {
    classes.push_back({fmt::format("class_{}", value), palette.colours[classes.size()]});
  }
  return classes;
}

}  // namespace

bool has_stacks(const fs::path& folder) {
  try {
    return !find_stacks(folder).empty();
  } catch (const Error&) {
    return false;  // no pictures, or files that cannot be read: other formats tell of them
  }
}

LabelSource open_stacks(const fs::path& folder, const SourceOptions& options) {
  const std::vector<Stack> stacks = find_stacks(folder);
  if (stacks.empty()) {
    throw Error::in_file(folder.string(),
                         "holds no pair of TIFF files with several pages; expected such as "
                         "train-volume.tif and train-labels.tif");
  }
  const std::set<std::uint32_t> values = values_of(stacks);
  LabelSource source{.classes = classes_of(values)};
  LabelEncoding encoding;
  for (const std::uint32_t value : values) {
    encoding.to_class.emplace(value, static_cast<std::uint16_t>(encoding.to_class.size()));
  }
  const auto masks = std::make_shared<std::map<std::string, fs::path>>();
  for (const Stack& stack : stacks) {
    for (int page = 0; page < stack.pages; ++page) {
      source.items.push_back({.name = fmt::format("{}_{:03}", stack.pictures.stem().string(), page),
                              .split = stack.split,
                              .image = options.pictures ? stack.pictures : fs::path(),
                              .page = page});
      (*masks)[key_of(source.items.back())] = stack.masks;
    }
    source.notes.push_back(fmt::format("{}: {}, masks in {}", stack.pictures.filename().string(),
                                       counted(stack.pages, "page"),
                                       stack.masks.filename().string()));
  }
  source.what = fmt::format("{} of {}", counted(source.items.size(), "page"),
                            counted(stacks.size(), "TIFF stack"));
  source.read = [masks, encoding](const LabelItem& item) {
    return Labelling{
        .labels = decode_labels(read_mask(masks->at(key_of(item)), {.page = item.page}), encoding)};
  };
  return source;
}

}  // namespace segmentum
