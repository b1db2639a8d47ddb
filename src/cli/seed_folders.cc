#include "cli/seed_folders.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "base/counted.h"
#include "base/spelling.h"

namespace segmentum {

namespace fs = std::filesystem;

std::string several_trainings(const fs::path& run) {
  constexpr std::string_view kStart = "seed";
  std::set<std::int64_t> seeds;
  std::error_code code;
  for (fs::directory_iterator at(run, code), end; !code && at != end; at.increment(code)) {
    const std::string name = at->path().filename().string();
    std::int64_t seed = 0;
    if (!name.starts_with(kStart) || !fs::exists(at->path() / "config.toml")) continue;
    const auto [last, problem] =
        std::from_chars(name.data() + kStart.size(), name.data() + name.size(), seed);
    if (problem == std::errc() && last == name.data() + name.size()) seeds.insert(seed);
  }
  if (seeds.empty()) return "";
  std::vector<std::string> names;
  for (const std::int64_t seed : seeds) names.push_back(fmt::format("{}{}", kStart, seed));
  return fmt::format("holds {} ({}); name one of them, such as {}",
                     counted(names.size(), "training"), joined(names),
                     (run / names.front()).string());
}

}  // namespace segmentum
