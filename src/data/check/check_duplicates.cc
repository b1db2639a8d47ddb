// The same pictures in other files: copied, compressed, resized, mirrored or turned.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/threads.h"
#include "data/check/checkup.h"
#include "data/check/split_pairs.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// Copies differ by up to 4 bits and 1.2 greys (see is_same_picture); other shots of one scene may
// too, so what is near is looked at again.
constexpr int kMostHashBits = 12;
constexpr double kMostGreyDifference = 3.5;
constexpr double kSimilarGreys = 8;

/// Two pictures that look alike, the second changed by a symmetry.
struct Match {
  std::size_t a = 0, b = 0;  // in Checkup::samples, a < b
  Symmetry symmetry = kUnchanged;
  double greys = 0;
};

std::optional<Match> compare(const Checkup& checkup, std::size_t a, std::size_t b) {
  const Fingerprint& of_a = checkup.samples[a].picture.print;
  const Fingerprint& of_b = checkup.samples[b].picture.print;
  std::optional<Match> best;
  for (Symmetry symmetry = 0; symmetry < kSymmetries; ++symmetry) {
    if (hash_distance(of_a, of_b, symmetry) > kMostHashBits) continue;
    const double greys = grey_difference(of_a, of_b, symmetry);
    if (greys <= kSimilarGreys && (!best || greys < best->greys)) best = {a, b, symmetry, greys};
  }
  return best;
}

/// The nearest ones in each split: of a camera that stands still all frames look alike.
void keep_nearest(const Checkup& checkup, std::vector<Match>& matches) {
  constexpr int kOfEachSplit = 4;
  std::ranges::stable_sort(matches, {}, &Match::greys);
  std::map<std::string, int> kept;
  std::erase_if(matches, [&](const Match& match) {
    return ++kept[checkup.samples[match.a].split] > kOfEachSplit;
  });
}

/// All pairs that look alike. O(pictures^2) comparisons of a few nanoseconds.
std::vector<Match> find_matches(const Checkup& checkup) {
  const auto count = static_cast<std::int64_t>(checkup.samples.size());
  std::vector<std::vector<Match>> of_each(checkup.samples.size());
  const auto tells = [&](std::size_t i) {
    return checkup.samples[i].picture.readable() && checkup.samples[i].picture.print.tells();
  };
  // Every thread takes one of the first and one of the last, whose rows are short and long.
  parallel_for(count, [&](std::int64_t i) {
    const auto b = static_cast<std::size_t>(i % 2 == 0 ? i / 2 : count - 1 - i / 2);
    if (!tells(b)) return;
    for (std::size_t a = 0; a < b; ++a) {
      if (!tells(a) || checkup.samples[a].sample.image == checkup.samples[b].sample.image) continue;
      if (const auto match = compare(checkup, a, b)) of_each[b].push_back(*match);
    }
    keep_nearest(checkup, of_each[b]);
  });
  std::vector<Match> matches;
  for (const auto& some : of_each) matches.insert(matches.end(), some.begin(), some.end());
  return matches;
}

enum class Likeness { similar, same, copy };

Likeness look_again(const Checkup& checkup, const Match& match) {
  if (match.greys > kMostGreyDifference) return Likeness::similar;
  const auto path = [&](std::size_t i) {
    return checkup.dataset.root / checkup.samples[i].sample.image;
  };
  try {
    const PictureDifference difference =
        picture_difference(read_image(path(match.a)), read_image(path(match.b)), match.symmetry);
    return is_copy(difference)           ? Likeness::copy
           : is_same_picture(difference) ? Likeness::same
                                         : Likeness::similar;
  } catch (const Error&) {  // it changed since it was read
    return Likeness::similar;
  }
}

std::string detail_of(const CheckedSample& other, Symmetry symmetry) {
  const std::string name = other.split + "'s " + other.sample.image.generic_string();
  return symmetry == kUnchanged ? "as " + name
                                : fmt::format("as {}, {}", name, symmetry_text(symmetry));
}

class Duplicates {
 public:
  explicit Duplicates(Checkup& checkup) : checkup_(checkup) {}

  void add(const Match& match, Likeness likeness) {
    CheckedSample& a = checkup_.samples[match.a];
    CheckedSample& b = checkup_.samples[match.b];
    if (a.split != b.split) {
      add_across(a, b, match, likeness);
    } else if (likeness == Likeness::copy) {
      add_within(a, b, match);
    }
  }

  void finish() {
    for (auto& [splits, finding] : across_) checkup_.add(std::move(finding));
    checkup_.add(std::move(within_));
    if (similar_.count > 0) similar_.fix = "frames or shots of one thing belong into one split";
    checkup_.add(std::move(similar_));
  }

 private:
  void add_across(CheckedSample& a, CheckedSample& b, const Match& match, Likeness likeness) {
    const SplitPair pair = split_pair(a.split, b.split);
    CheckedSample& learnt = a.split == pair.learnt ? a : b;
    CheckedSample& judged = &learnt == &a ? b : a;
    if (likeness == Likeness::similar) {
      if (similar_names_.insert(judged.sample.image).second) {
        similar_.add(judged.picture_file(detail_of(learnt, match.symmetry)));
      }
      return;
    }
    auto [entry, fresh] = across_.try_emplace({pair.learnt, pair.judged});
    if (fresh) {
      entry->second = {
          .fault = Fault::duplicate_across_splits,
          .severity = pair.severity,
          .what = fmt::format("pictures of \"{}\" are in \"{}\" too, in other files: {}",
                              pair.judged, pair.learnt, pair.consequence),
          .fix = fmt::format("take them out of \"{}\", as --fix DIR does", pair.learnt),
          .repaired = true};
    }
    entry->second.add(judged.picture_file(detail_of(learnt, match.symmetry)));
    learnt.remedy.left_out = "it is also " + judged.sample.image.generic_string();
  }

  void add_within(const CheckedSample& a, CheckedSample& b, const Match& match) {
    const bool same_labels =
        a.mask.readable() && b.mask.readable() && a.mask.reading.digest == b.mask.reading.digest;
    const bool comparable =
        match.symmetry == kUnchanged && a.mask.content.pixels() == b.mask.content.pixels();
    within_.add(b.picture_file(detail_of(a, match.symmetry) +
                               (comparable && !same_labels ? ", but with other labels" : "")));
    b.remedy.left_out = "it is also " + a.sample.image.generic_string();
  }

  Checkup& checkup_;
  std::map<std::pair<std::string, std::string>, Finding> across_;
  Finding within_{.fault = Fault::duplicate_in_split,
                  .severity = Severity::warning,
                  .what = "pictures are there twice in their split: they count twice",
                  .fix = "take one of each out; --fix DIR keeps the first",
                  .repaired = true};
  Finding similar_{.fault = Fault::similar_across_splits,
                   .severity = Severity::note,
                   .what =
                       "pictures look much like one of another split; if they show the same "
                       "thing, scores are too good"};
  std::set<std::filesystem::path> similar_names_;
};

}  // namespace

void check_duplicates(Checkup& checkup) {
  const std::vector<Match> matches = find_matches(checkup);
  std::vector<Likeness> likeness(matches.size());
  parallel_for(static_cast<std::int64_t>(matches.size()), [&](std::int64_t i) {
    likeness[static_cast<std::size_t>(i)] =
        look_again(checkup, matches[static_cast<std::size_t>(i)]);
  });
  Duplicates duplicates(checkup);
  for (std::size_t i = 0; i < matches.size(); ++i) duplicates.add(matches[i], likeness[i]);
  duplicates.finish();
}

}  // namespace segmentum
