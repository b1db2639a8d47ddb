#include "cli/network_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "models/registry.h"

namespace segmentum {

void NetworkRequest::declare(Arguments& arguments, const char* about_size) {
  arguments.operand(what, "MODEL", "a .segmentum file, or the name of an architecture");
  arguments.option(size, "--size", "HxW", about_size);
  arguments.option(classes, "--classes", {1, 65535}, "classes of an architecture (default: 2)");
  arguments.option(channels, "--channels", {1, 4096},
                   "input channels of an architecture (default: 3)");
  arguments.settings(settings, "a setting of an architecture, such as width=32");
}

bool NetworkRequest::is_architecture() const {
  return std::ranges::any_of(architectures(),
                             [&](const ArchitectureInfo& info) { return info.name == what; });
}

bool NetworkRequest::is_file() const {
  return !is_architecture() && (std::filesystem::exists(what) || what.ends_with(".segmentum"));
}

Shape NetworkRequest::input_shape(std::int64_t input_channels, const std::optional<BoxCrop>& boxes,
                                  int side) const {
  if (boxes) side = boxes->side_px;
  if (size.empty()) return {1, input_channels, side, side};
  const auto [h, w] = height_and_width("--size", size);
  return {1, input_channels, h, w};
}

void NetworkRequest::refuse_options_of_architectures() const {
  const auto refuse = [&](const char* option) {
    throw UsageError(
        fmt::format("{} is for the name of an architecture; {} is a model, which has "
                    "its own: leave it out",
                    option, what));
  };
  if (!settings.empty()) refuse("--set");
  if (classes) refuse("--classes");
  if (channels) refuse("--channels");
}

UntrainedNetwork build_untrained(const NetworkRequest& request) {
  ModelOptions options;
  if (request.channels) options.input_channels = static_cast<int>(*request.channels);
  if (request.classes) options.classes = static_cast<int>(*request.classes);
  for (const std::string& setting : request.settings) {
    const auto [key, value] = key_and_value(setting);
    options.settings.insert_or_assign(key, value);
  }
  try {
    return {build_model(request.what, options), box_crop(request.what, options),
            options.input_channels, options.classes};
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

}  // namespace segmentum
