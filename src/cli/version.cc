// segmentum version: what this build is, and what it runs on.
#include <fmt/format.h>

#include <iostream>
#include <string>

#include "base/threads.h"
#include "cli/arguments.h"
#include "cli/build_facts.h"
#include "cli/json_object.h"

namespace segmentum {
namespace {

int version(const std::string& json) {
  auto lines = build_facts();
  lines.emplace_back("threads", std::to_string(available_threads()));
  JsonObject object;
  for (const auto& [name, value] : lines) {
    std::cout << fmt::format("{:<10}{}\n", name == "version" ? "segmentum" : name, value);
    object.set(name, value);
  }
  write_json(json, object);
  return 0;
}

}  // namespace

const Command kVersionCommand{"version", "the version, how it was built, and the CPU",
                              "  segmentum version\n  segmentum version --json version.json\n",
                              [](Arguments& arguments) {
                                auto json = std::make_shared<std::string>();
                                arguments.json(*json);
                                return Action([json] { return version(*json); });
                              }};

}  // namespace segmentum
