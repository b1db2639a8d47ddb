// What a training or a prediction leaves: is it whole?
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace segmentum {

/// A training that writes a checkpoint and a line of its log after every step.
inline const std::vector<std::string> kEveryStep{"--set", "checkpoint_minutes=0", "log_every=1",
                                                 "cache_mb=0"};

bool has_lines(const std::filesystem::path& log, int lines);

/// Fails the test if a file in the folder of a run is cut short, or if a hidden file lies there
/// that is no lock. After a kill a whole one may, which had its hidden name and not yet its own.
enum class After : std::uint8_t { end, kill };
void expect_whole_files(const std::filesystem::path& run, After after = After::end);

/// Fails the test if the two runs do not have the same weights, bit for bit.
void expect_same_weights(const std::filesystem::path& run, const std::filesystem::path& other);

}  // namespace segmentum
