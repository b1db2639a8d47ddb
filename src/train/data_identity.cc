#include "train/data_identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string_view>

#include "base/counted.h"
#include "model_file/safetensors.h"
#include "segmentum/error.h"
#include "train/checkpoint.h"

namespace segmentum {
namespace {

namespace fs = std::filesystem;

/// Names of files may hold any byte, a checkpoint and TOML may not: what is not plain is %XX.
std::string plain(std::string_view name) {
  std::string text;
  for (const char letter : name) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool is_plain = byte >= 0x20 && byte < 0x7f && letter != '%';
    text += is_plain ? std::string(1, letter) : fmt::format("%{:02x}", byte);
  }
  return text;
}

std::string class_facts(const Dataset& dataset) {
  std::string facts = fmt::format("{} classes\n", dataset.class_count());
  for (int k = 0; k < dataset.class_count(); ++k) {
    facts += fmt::format("class {} is {}\n", k,
                         plain(dataset.classes[static_cast<std::size_t>(k)].name));
  }
  return facts;
}

std::string value_facts(const LabelEncoding& encoding) {
  if (encoding.threshold)
    return fmt::format("mask values from {} on are class 1\n", *encoding.threshold);
  const bool colours = encoding.kind == LabelEncoding::Kind::colour;
  std::string facts;
  for (const auto& [value, label] : encoding.to_class) {
    facts += colours ? fmt::format("mask colour #{:06x} is ", value)
                     : fmt::format("mask value {} is ", value);
    facts += label == kIgnoreLabel ? "ignored\n" : fmt::format("class {}\n", label);
  }
  return facts;
}

/// FNV-1a in 64 bits: there is no one to deceive, only a mistake to notice.
class NameHash {
 public:
  void add(std::string_view name) {
    for (const char c : name) add(static_cast<unsigned char>(c));
    add(0);  // no name holds it
  }
  std::uint64_t value() const { return hash_; }

 private:
  void add(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3u; }

  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

/// The order counts: the random streams of a training go by it.
std::string split_fact(const Dataset& dataset, const std::string& split) {
  NameHash hash;
  std::string first, last;
  int pictures = 0;
  if (const auto found = dataset.splits.find(split); found != dataset.splits.end()) {
    for (const Sample& sample : found->second) {
      if (sample.mask.empty()) continue;
      last = name_in(dataset.root, sample.image);
      if (pictures++ == 0) first = last;
      hash.add(last);
      hash.add(name_in(dataset.root, sample.mask));
    }
  }
  if (pictures == 0) return fmt::format("split {}: no labelled picture\n", plain(split));
  return fmt::format("split {}: {}, {} to {}, whose names have the hash {:016x}\n", plain(split),
                     counted(pictures, "labelled picture"), plain(first), plain(last),
                     hash.value());
}

/// Facts as they are written now: earlier checkpoints have "1 labelled pictures".
std::string reworded(std::string facts) {
  constexpr std::string_view kBefore = ": 1 labelled pictures, ", kNow = ": 1 labelled picture, ";
  for (std::size_t at = 0; (at = facts.find(kBefore, at)) != std::string::npos;) {
    facts.replace(at, kBefore.size(), kNow);
  }
  return facts;
}

}  // namespace

std::string name_in(const fs::path& root, const fs::path& file) {
  if (file.is_relative()) return file.lexically_normal().generic_string();
  return file.lexically_normal()
      .lexically_relative(fs::absolute(root).lexically_normal())
      .generic_string();
}

std::string data_identity(const Dataset& dataset, const std::vector<std::string>& splits) {
  std::string facts = class_facts(dataset) + value_facts(dataset.encoding);
  for (const std::string& split : splits) facts += split_fact(dataset, split);
  return facts;
}

std::string first_difference(const std::string& stored, const std::string& identity) {
  const std::string facts_then = reworded(stored), facts_now = reworded(identity);
  if (facts_then == facts_now) return "";
  std::istringstream then_lines(facts_then), now_lines(facts_now);
  std::string then, now;
  while (then == now && (then_lines || now_lines)) {
    if (!std::getline(then_lines, then)) then = "nothing more";
    if (!std::getline(now_lines, now)) now = "nothing more";
  }
  return fmt::format("\"{}\" then, \"{}\" now", then, now);
}

void require_same_data(const fs::path& checkpoint, const std::string& identity) {
  const std::string stored = stored_data_identity(checkpoint);
  if (stored.empty()) return;
  const std::string difference = first_difference(stored, identity);
  if (difference.empty()) return;
  throw Error::in_file(
      checkpoint.string(),
      fmt::format("this training began on other data: {}; resume it with the "
                  "data that config.toml beside it names (a folder that was moved will do), or "
                  "train in another folder",
                  difference));
}

std::string data_comment(const Dataset& dataset, const std::string& identity) {
  std::string text = "# data: " + plain(fs::weakly_canonical(dataset.root).string()) + '\n';
  std::istringstream facts(identity);
  for (std::string fact; std::getline(facts, fact);) {
    // Of many classes and values there would be more than of all settings.
    if (!fact.starts_with("class ") && !fact.starts_with("mask ")) text += "#   " + fact + '\n';
  }
  return text;
}

}  // namespace segmentum
