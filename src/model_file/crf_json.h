// Settings of a dense CRF as text: as a model file keeps them, and the words people use.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "segmentum/crf.h"

namespace segmentum {

/// {"version":1,"iterations":10,...}
std::string crf_json(const CrfSettings& settings);

/// Reads what `crf_json` writes. Throws Error saying what is wrong; another version is refused.
CrfSettings crf_settings_from_json(std::string_view text);

/// Of "symmetric", "before", "after" or "none" (`normalisation_name`); none for another text.
std::optional<CrfNormalisation> normalisation_of(std::string_view name);

/// "10 iterations, spatial 3 px weight 3, bilateral 80 px 13 levels weight 10".
std::string crf_text(const CrfSettings& settings);

}  // namespace segmentum
