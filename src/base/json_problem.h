// What is wrong with a JSON text, in words of ours.
#pragma once

#include <string>
#include <string_view>

namespace segmentum {

/// What nlohmann::json's exception says in `what`, for a person: without its number and without the
/// bytes of the file, which may be anything.
std::string json_problem(std::string_view what);

}  // namespace segmentum
