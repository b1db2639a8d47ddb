// The protocol of bench/compare.py: a line "run" on standard input is one repetition, answered by
// one line of JSON.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace segmentum {

/// Bytes that the process holds in memory now.
std::int64_t rss_bytes();

/// Says `about` (the inside of a JSON object, without its braces) and then runs `once` for each
/// line of standard input, or `repeats` times if that is not 0. An answer holds `seconds`,
/// `cpu_seconds` over all threads, and `peak_rss_bytes` of the process. Throws Error for another
/// line.
void serve_repetitions(const std::string& about, int repeats, const std::function<void()>& once);

}  // namespace segmentum
