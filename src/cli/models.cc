// segmentum models: the networks there are and the settings that shape them.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "base/spelling.h"
#include "cli/arguments.h"
#include "cli/json_object.h"
#include "models/registry.h"

namespace segmentum {
namespace {

/// Columns that names and defaults take.
struct Widths {
  std::size_t name = 0, value = 0;
};

Widths widths_of(const std::vector<ArchitectureInfo>& infos) {
  Widths widths;
  for (const ArchitectureInfo& info : infos) {
    for (const SettingInfo& setting : info.settings) {
      widths.name = std::max(widths.name, setting.name.size());
      widths.value = std::max(widths.value, setting.default_value.size());
    }
  }
  return widths;
}

std::string text_of(const ArchitectureInfo& info, const Widths& widths) {
  std::string text = fmt::format("{}: {}\n  {}\n", info.name, info.description, info.paper);
  for (const SettingInfo& setting : info.settings) {
    text += fmt::format("    {:<{}}  {:<{}}  {}; {}\n", setting.name, widths.name,
                        setting.default_value, widths.value, setting.meaning, setting.values);
  }
  return text;
}

JsonObject json_of(const ArchitectureInfo& info) {
  std::vector<JsonObject> settings;
  for (const SettingInfo& setting : info.settings) {
    settings.emplace_back()
        .set("name", setting.name)
        .set("default", setting.default_value)
        .set("values", setting.values)
        .set("meaning", setting.meaning);
  }
  return JsonObject()
      .set("name", info.name)
      .set("description", info.description)
      .set("paper", info.paper)
      .set("settings", settings);
}

struct Request {
  std::string name;  // empty: all
  std::string json;
};

std::vector<ArchitectureInfo> asked_for(const std::string& name) {
  if (name.empty()) return architectures();
  std::vector<std::string> names;
  for (const ArchitectureInfo& info : architectures()) {
    if (info.name == name) return {info};
    names.push_back(info.name);
  }
  throw UsageError(fmt::format("there is no network \"{}\"; {}there are {}", name,
                               did_you_mean(name, names), joined(names)));
}

int list_models(const Request& request) {
  const std::vector<ArchitectureInfo> infos = asked_for(request.name);
  const Widths widths = widths_of(infos);
  std::vector<JsonObject> objects;
  for (const ArchitectureInfo& info : infos) {
    std::cout << text_of(info, widths) << '\n';
    objects.push_back(json_of(info));
  }
  std::cout << "A setting is given as --set model.NAME=VALUE to train, as --set NAME=VALUE to "
               "describe.\n";
  write_json(request.json, JsonObject().set("models", objects));
  return 0;
}

Action declare(Arguments& arguments) {
  auto request = std::make_shared<Request>();
  arguments.optional_operand(request->name, "NAME", "of one network (default: all)");
  arguments.json(request->json);
  return [request] { return list_models(*request); };
}

}  // namespace

const Command kModelsCommand{"models", "the networks and their settings",
                             "  segmentum models\n"
                             "  segmentum models deeplab_v3plus\n"
                             "  segmentum describe unet --set width=32\n",
                             declare};

}  // namespace segmentum
