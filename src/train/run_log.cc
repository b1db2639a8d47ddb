#include "train/run_log.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/file.h"

namespace segmentum {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& score) {
  return score ? Json(*score) : Json(nullptr);
}

}  // namespace

RunLog::RunLog(std::filesystem::path path, std::int64_t keep_bytes) : path_(std::move(path)) {
  std::string kept = std::filesystem::exists(path_) ? read_file(path_) : "";
  kept.resize(std::min(kept.size(), static_cast<std::size_t>(keep_bytes)));
  kept.resize(kept.find_last_of('\n') + 1);  // npos + 1 = 0
  write_file(path_, kept);
  bytes_ = static_cast<std::int64_t>(kept.size());
}

void RunLog::write(const StepRecord& record) {
  append(Json{{"event", "step"},
              {"step", record.step},
              {"epoch", record.epoch},
              {"loss", record.loss},
              {"lr", record.lr},
              {"gradient_norm", record.gradient_norm},
              {"images_per_second", record.images_per_second},
              {"step_images_per_second", or_null(record.step_images_per_second)},
              {"loader_wait_seconds", record.loader_wait_seconds}}
             .dump());
}

void RunLog::write(const ValidationRecord& record, const std::vector<ClassInfo>& classes) {
  const Scores& scores = record.scores;
  Json iou = Json::object();
  Json dice = Json::object();
  for (std::size_t k = 0; k < std::min(classes.size(), scores.classes.size()); ++k) {
    iou[classes[k].name] = or_null(scores.classes[k].iou);
    dice[classes[k].name] = or_null(scores.classes[k].dice);
  }
  append(Json{{"event", "validation"},
              {"step", record.step},
              {"epoch", record.epoch},
              {"mean_iou", scores.mean_iou},
              {"pixel_accuracy", scores.pixel_accuracy},
              {"mean_accuracy", scores.mean_accuracy},
              {"mean_dice", scores.mean_dice},
              {"iou", iou},
              {"dice", dice},
              {"best", record.best},
              {"seconds", record.seconds}}
             .dump(-1, ' ', false, Json::error_handler_t::replace));
}

void RunLog::append(std::string line) {
  line += '\n';
  std::ofstream stream(path_, std::ios::binary | std::ios::app);
  stream << line << std::flush;
  if (!stream) {
    const int problem = errno;
    std::error_code code;
    std::filesystem::resize_file(path_, static_cast<std::uintmax_t>(bytes_), code);  // whole lines
    throw_write_error(path_, "write", problem);
  }
  bytes_ += static_cast<std::int64_t>(line.size());
}

}  // namespace segmentum
