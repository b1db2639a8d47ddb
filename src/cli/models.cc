// segmentum models: the networks there are and the settings that shape them.
#include <fmt/format.h>

#include <iostream>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/json_object.h"
#include "models/registry.h"

namespace segmentum {
namespace {

std::string text_of(const ArchitectureInfo& info) {
  std::string text = fmt::format("{}: {}\n  {}\n", info.name, info.description, info.paper);
  for (const SettingInfo& setting : info.settings) {
    text += fmt::format("    {:<13} {:<10} {}; {}\n", setting.name, setting.default_value,
                        setting.meaning, setting.values);
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

int list_models(const std::string& json) {
  std::vector<JsonObject> objects;
  for (const ArchitectureInfo& info : architectures()) {
    std::cout << text_of(info) << '\n';
    objects.push_back(json_of(info));
  }
  std::cout << "A setting is given as --set model.NAME=VALUE to train, as --set NAME=VALUE to "
               "describe.\n";
  write_json(json, JsonObject().set("models", objects));
  return 0;
}

}  // namespace

const Command kModelsCommand{"models", "the networks and their settings",
                             "  segmentum models\n  segmentum describe unet --set width=32\n",
                             [](Arguments& arguments) {
                               auto json = std::make_shared<std::string>();
                               arguments.json(*json);
                               return Action([json] { return list_models(*json); });
                             }};

}  // namespace segmentum
