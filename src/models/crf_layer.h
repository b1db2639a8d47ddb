// A CRF behind the scores: the setting `crf` of networks that offer it.
#pragma once

#include <optional>
#include <vector>

#include "models/settings.h"
#include "segmentum/crf.h"

namespace segmentum {

/// `crf` = none, post or rnn, and the numbers of the CRF.
std::vector<SettingInfo> crf_settings();
/// What is another default where crf = post.
Preset crf_preset();

/// crf = rnn: the layer, for pictures pre-processed as `options` say. Throws Error naming a setting
/// that is wrong, whatever `crf` is.
std::optional<op::MeanField> crf_layer(const ModelOptions& options, const Settings& settings);
/// crf = post: what stands in the model file for `predict --crf`.
std::optional<CrfSettings> post_crf(const Settings& settings);

/// `scores`, refined by `image` in a node "crf" where there is such a layer.
ValueId with_crf(GraphBuilder& g, ValueId scores, ValueId image,
                 const std::optional<op::MeanField>& crf);

}  // namespace segmentum
