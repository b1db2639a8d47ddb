// All networks by name, with the settings that shape them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "image/box.h"
#include "segmentum/crf.h"

namespace segmentum {

/// What every network is asked for.
struct ModelOptions {
  int input_channels = 3;
  int classes = 2;  // channels of the logits; 1 is a one-class sigmoid head
  std::map<std::string, std::string> settings;  // the architecture's own; the rest have defaults
  /// What each channel's values are divided by beforehand (`Preprocess::std`), for networks that
  /// compare colours; empty: kUsualDeviation each.
  std::vector<float> deviations;
  static constexpr float kUsualDeviation = 0.25f;
  /// What is subtracted from each channel before that (`Preprocess::mean`); empty: kUsualMean each.
  std::vector<float> means;
  static constexpr float kUsualMean = 0.5f;
};

struct SettingInfo {
  std::string name;
  std::string default_value;
  std::string values;  // what may stand there: "batch | group | none", "1 to 1024"
  std::string meaning;
};

/// Where `setting` has `value`, other settings have other defaults.
struct Preset {
  std::string setting;
  std::string value;
  std::map<std::string, std::string> defaults;
};

struct ArchitectureInfo {
  std::string name;
  std::string description;  // one line
  std::string paper;
  std::vector<SettingInfo> settings;
  std::vector<Preset> presets = {};
  bool on_boxes = false;  // reads crops around boxes, and has one logit for each class of objects
};

/// In the order in which they should be shown.
const std::vector<ArchitectureInfo>& architectures();

/// The network `architecture`: input "image" [N,C,H,W] of any H and W from 1x1 up, output "logits"
/// [N,classes,H,W], and "aux" of the same shape where there is an auxiliary head. Throws Error
/// for an unknown name, setting or value, telling which there are.
Graph build_model(const std::string& architecture, const ModelOptions& options);

/// How the boxes become crops that `architecture` reads; none where it reads whole pictures. Throws
/// as `build_model`.
std::optional<BoxCrop> box_crop(const std::string& architecture, const ModelOptions& options);

/// The CRF that a model file of `architecture` carries for `predict --crf`; none unless crf = post.
/// Throws as `build_model`.
std::optional<CrfSettings> post_crf(const std::string& architecture, const ModelOptions& options);

/// All settings of `architecture`, given or default: what `build_model` would use. Same errors for
/// unknown names.
std::map<std::string, std::string> resolved_settings(const std::string& architecture,
                                                     const ModelOptions& options);

}  // namespace segmentum
