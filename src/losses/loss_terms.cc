#include "losses/loss_terms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr std::array kKinds{std::pair{LossKind::cross_entropy, "cross_entropy"},
                            std::pair{LossKind::focal, "focal"},
                            std::pair{LossKind::dice, "dice"},
                            std::pair{LossKind::tversky, "tversky"},
                            std::pair{LossKind::lovasz, "lovasz"},
                            std::pair{LossKind::boundary, "boundary"},
                            std::pair{LossKind::ohem, "ohem"},
                            std::pair{LossKind::top_k, "top_k"}};

[[noreturn]] void reject() {
  std::string known;
  for (const auto& [kind, name] : kKinds) known += (known.empty() ? "" : ", ") + std::string(name);
  throw Error("one of " + known + ", or a sum of them such as cross_entropy+0.5*dice");
}

LossTerm parse_term(std::string_view text) {
  LossTerm term;
  if (const std::size_t times = text.find('*'); times != std::string_view::npos) {
    const char* end = text.data() + times;
    const auto [stop, code] = std::from_chars(text.data(), end, term.weight);
    if (code != std::errc() || stop != end || !std::isfinite(term.weight) || term.weight <= 0) {
      reject();
    }
    text.remove_prefix(times + 1);
  }
  for (const auto& [kind, name] : kKinds) {
    if (text != name) continue;
    term.kind = kind;
    return term;
  }
  reject();
}

}  // namespace

LossTerms parse_loss(std::string_view text) {
  std::string plain(text);
  std::erase(plain, ' ');
  LossTerms terms;
  for (std::size_t from = 0; from <= plain.size();) {
    const std::size_t end = std::min(plain.find('+', from), plain.size());
    terms.push_back(parse_term(std::string_view(plain).substr(from, end - from)));
    from = end + 1;
  }
  return terms;
}

std::string loss_text(const LossTerms& terms) {
  std::string text;
  for (const LossTerm& term : terms) {
    if (!text.empty()) text += '+';
    if (term.weight != 1) text += fmt::format("{}*", term.weight);
    for (const auto& [kind, name] : kKinds) {
      if (kind == term.kind) text += name;
    }
  }
  return text;
}

}  // namespace segmentum
