#include "infer/predict_boxes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "base/file.h"
#include "image/codec.h"
#include "image/overlay.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

fs::path with(fs::path stem, const char* ending) {
  return stem += ending;
}

/// The ids of masks at every pixel, the best on top.
LabelMap stacked(const std::vector<Mask>& masks, const std::vector<ListedBox>& boxes, int height,
                 int width) {
  std::vector<std::int64_t> areas;
  for (const Mask& mask : masks) areas.push_back(mask.area());
  std::vector<std::size_t> order(masks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    const double score_a = boxes[a].score.value_or(0), score_b = boxes[b].score.value_or(0);
    return score_a != score_b ? score_a < score_b : areas[a] > areas[b];
  });
  LabelMap ids(height, width);
  for (const std::size_t i : order) {
    const Mask& mask = masks[i];
    for (int y = 0; y < mask.height; ++y) {
      std::uint16_t* row = ids.row(mask.top + y) + mask.left;
      for (int x = 0; x < mask.width; ++x) {
        if (mask(y, x)) row[x] = static_cast<std::uint16_t>(i + 1);
      }
    }
  }
  return ids;
}

Json box_json(const ListedBox& listed, std::size_t id, const std::string& class_name,
              std::int64_t area) {
  const Box& box = listed.box;
  Json json{{"id", id}, {"box", {box.x0, box.y0, box.x1, box.y1}}, {"class", class_name}};
  if (listed.score) json["score"] = *listed.score;
  json["area"] = area;
  return json;
}

void segment_picture(BoxSegmenter& segmenter, const fs::path& picture, const fs::path& stem,
                     const std::vector<ListedBox>& boxes, const PredictOptions& options) {
  if (boxes.size() >= kIgnoreLabel) {
    throw Error("has " + std::to_string(boxes.size()) + " boxes; at most 65534 can be numbered");
  }
  const Image image = read_image(picture);
  std::vector<Mask> masks;
  Json list = Json::array();
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const int label = segmenter.class_of(boxes[i].class_name);
    masks.push_back(segmenter.segment(image, boxes[i].box, label));
    list.push_back(box_json(boxes[i], i + 1,
                            segmenter.classes()[static_cast<std::size_t>(label)].name,
                            masks.back().area()));
  }
  const LabelMap ids = stacked(masks, boxes, image.height(), image.width());
  if (options.overlay) {
    const Palette palette = Palette::voc(static_cast<int>(boxes.size()) + 1);
    write_png(with(stem, ".overlay.png"), overlay(image, ids, palette, options.overlay_opacity));
  }
  const Json json{{"image", picture.filename().string()},
                  {"width", image.width()},
                  {"height", image.height()},
                  {"boxes", std::move(list)}};
  write_file(with(stem, ".json"), json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  write_png(with(stem, ".png"), {ids.row(0), ids.height(), ids.width(), 1, PixelType::u16, 0});
}

/// A wrong class is wrong in the whole file, and found before the first picture is read.
void check_classes(const BoxSegmenter& segmenter, const BoxFile& boxes) {
  for (const auto& [picture, listed] : boxes.pictures()) {
    for (const ListedBox& box : listed) {
      try {
        segmenter.class_of(box.class_name);
      } catch (const Error& error) {
        throw Error::in_file(boxes.path().string(), picture + ": " + error.what());
      }
    }
  }
}

void check_pictures(std::span<const PictureFile> pictures, std::span<const fs::path> stems,
                    const BoxFile& boxes) {
  const fs::path file = resolved_path(boxes.path());
  for (const fs::path& stem : stems) {
    if (resolved_path(with(stem, ".json")) != file) continue;
    throw Error::in_file(file.string(),
                         "holds the boxes and would be replaced by a result; choose "
                         "another folder for the results");
  }
  const auto has_boxes = [&](const PictureFile& picture) {
    return !boxes.of(picture.path).empty();
  };
  if (std::ranges::any_of(pictures, has_boxes) || boxes.pictures().empty()) return;
  throw Error::in_file(boxes.path().string(), "has no box of any of the pictures; it names \"" +
                                                  boxes.pictures().begin()->first +
                                                  "\", and the first picture is \"" +
                                                  pictures.front().path.string() + "\"");
}

void tell_of_left_out(std::span<const PictureFile> pictures, const PredictSummary& summary,
                      ProgressSink& progress) {
  if (!summary.left_out.empty()) progress.message(left_out_text(summary.left_out));
  for (const PictureFile& picture : pictures) {
    if (picture.pages == 1) continue;
    progress.message(
        picture.path.string() + ": holds " + std::to_string(picture.pages) +
        " pictures, of which only the first is looked at: boxes are known by the file's name");
  }
}

}  // namespace

PredictSummary predict_boxes(BoxSegmenter& segmenter, std::span<const std::string> inputs,
                             const BoxFile& boxes, const PredictOptions& options,
                             ProgressSink* progress) {
  PredictSummary summary;
  std::vector<PictureFile> pictures = list_pictures(inputs, options.out, &summary.left_out);
  count_pages(pictures);
  const std::vector<fs::path> stems = output_stems(pictures, options);
  check_pictures(pictures, stems, boxes);
  check_classes(segmenter, boxes);
  require_writable_folder(options.out);
  if (progress) tell_of_left_out(pictures, summary, *progress);
  if (progress) progress->begin("predict", static_cast<std::int64_t>(pictures.size()), "picture");
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (progress && progress->stop_requested()) throw Interrupted();
    const fs::path& path = pictures[i].path;
    try {
      segment_picture(segmenter, path, stems[i], boxes.of(path), options);
      summary.files.push_back({path, with(stems[i], ".png")});
    } catch (const WriteError&) {
      throw;
    } catch (const Error& error) {
      const std::string what = error.what();
      summary.failures.push_back(what.starts_with(path.string()) ? what
                                                                 : path.string() + ": " + what);
      if (progress) progress->message(summary.failures.back());
    }
    if (progress) progress->update(static_cast<std::int64_t>(i) + 1, pictures[i].name.string());
  }
  if (progress) progress->end();
  return summary;
}

}  // namespace segmentum
