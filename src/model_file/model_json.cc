#include "model_file/model_json.h"

#include <nlohmann/json.hpp>

#include "base/json_problem.h"
#include "model_file/crf_json.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

using nlohmann::json;

constexpr int kDeepestText = 4;

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json classes_json(const std::vector<ClassInfo>& classes) {
  json list = json::array();
  for (const ClassInfo& c : classes) {
    list.push_back({{"name", c.name}, {"colour", {c.colour.r, c.colour.g, c.colour.b}}});
  }
  return list;
}

std::vector<ClassInfo> classes_from(const json& list) {
  std::vector<ClassInfo> classes;
  for (const json& item : list) {
    const json& colour = item.at("colour");
    const auto channel = [&](std::size_t i) {
      const int value = colour.at(i).get<int>();
      if (value < 0 || value > 255) throw Error("a colour has a channel outside of 0..255");
      return static_cast<std::uint8_t>(value);
    };
    classes.push_back({item.at("name").get<std::string>(), {channel(0), channel(1), channel(2)}});
  }
  return classes;
}

Preprocess preprocess_from(const json& value) {
  return {value.at("mean").get<std::vector<float>>(), value.at("std").get<std::vector<float>>()};
}

BoxCrop box_crop_from(const json& value) {
  const BoxCrop crop{value.at("side").get<int>(), value.at("expand").get<double>()};
  if (crop.side_px < BoxCrop::kLeastSide || crop.side_px > BoxCrop::kGreatestSide ||
      !(crop.expand >= 1 && crop.expand <= BoxCrop::kGreatestExpand)) {
    throw Error("crops of boxes have a side or growth out of range");
  }
  return crop;
}

std::uint32_t mask_value_from(const json& value) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > UINT32_MAX) {
    throw Error("a mask value is no whole number of 32 bits");
  }
  return value.get<std::uint32_t>();
}

/// Parses text `key` and hands it to `read`; whatever is wrong with it becomes an Error.
template <typename Read>
void read_text(const std::map<std::string, std::string>& texts, const std::string& key,
               const Read& read) {
  const auto found = texts.find(key);
  if (found == texts.end()) throw Error("it has no text \"" + key + "\"");
  try {
    const auto shallow = [](int depth, json::parse_event_t, json&) {
      if (depth > kDeepestText) throw Error("it is nested too deep");
      return true;
    };
    read(json::parse(found->second, shallow));
  } catch (const std::exception& error) {  // of nlohmann's types or our own
    throw Error("its text \"" + key + "\" is damaged: " + json_problem(error.what()));
  }
}

}  // namespace

std::map<std::string, std::string> model_texts(const Model& model) {
  const json source{{"values", model.source_values},
                    {"ignore", model.source_ignore_value},
                    {"colours", model.source_values_are_colours}};
  const json preprocess{{"mean", model.preprocess.mean}, {"std", model.preprocess.std}};
  std::map<std::string, std::string> texts{{"preprocess", text_of(preprocess)},
                                           {"classes", text_of(classes_json(model.classes))},
                                           {"mask_values", text_of(source)},
                                           {"settings", text_of(model.settings)},
                                           {"provenance", text_of(model.provenance)}};
  if (model.boxes) {
    texts["boxes"] = text_of({{"side", model.boxes->side_px}, {"expand", model.boxes->expand}});
  }
  if (model.crf) texts["crf"] = crf_json(*model.crf);
  return texts;
}

void read_model_texts(const std::map<std::string, std::string>& texts, Model& model) {
  using Texts = std::map<std::string, std::string>;
  read_text(texts, "preprocess", [&](const json& v) { model.preprocess = preprocess_from(v); });
  read_text(texts, "classes", [&](const json& v) { model.classes = classes_from(v); });
  read_text(texts, "mask_values", [&](const json& v) {
    for (const json& value : v.at("values")) model.source_values.push_back(mask_value_from(value));
    model.source_ignore_value = mask_value_from(v.at("ignore"));
    model.source_values_are_colours = v.at("colours").get<bool>();
  });
  if (texts.contains("boxes")) {
    read_text(texts, "boxes", [&](const json& v) { model.boxes = box_crop_from(v); });
  }
  if (texts.contains("crf")) model.crf = crf_settings_from_json(texts.at("crf"));
  read_text(texts, "settings", [&](const json& v) { model.settings = v.get<Texts>(); });
  read_text(texts, "provenance", [&](const json& v) { model.provenance = v.get<Texts>(); });
}

}  // namespace segmentum
