// What a person may have meant, and the words there are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace segmentum {

/// Letters to insert, delete or replace, or neighbours to swap, to turn a into b. O(|a| * |b|).
int edit_distance(std::string_view a, std::string_view b);

/// `did you mean "width"? `, or nothing where no known word is near (at most two letters off).
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

/// "a, b, c".
std::string joined(const std::vector<std::string>& words);

}  // namespace segmentum
