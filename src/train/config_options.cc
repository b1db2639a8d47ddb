#include "train/config_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/toml_string.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

using Numbers = std::vector<float>;

template <typename Enum>
struct Words;
template <>
struct Words<OptimizerKind> {
  static constexpr std::array kWords{std::pair{OptimizerKind::sgd, "sgd"},
                                     std::pair{OptimizerKind::adamw, "adamw"}};
};
template <>
struct Words<ScheduleKind> {
  static constexpr std::array kWords{std::pair{ScheduleKind::poly, "poly"},
                                     std::pair{ScheduleKind::cosine, "cosine"},
                                     std::pair{ScheduleKind::constant, "constant"}};
};
template <>
struct Words<WeightRule> {
  static constexpr std::array kWords{std::pair{WeightRule::none, "none"},
                                     std::pair{WeightRule::median_frequency, "median_frequency"},
                                     std::pair{WeightRule::enet, "enet"},
                                     std::pair{WeightRule::effective_number, "effective_number"}};
};
template <>
struct Words<DataCheck> {
  static constexpr std::array kWords{std::pair{DataCheck::on, "on"},
                                     std::pair{DataCheck::off, "off"}};
};
template <>
struct Words<TrainMemory> {
  static constexpr std::array kWords{std::pair{TrainMemory::normal, "normal"},
                                     std::pair{TrainMemory::lean, "lean"}};
};

/// A value as TOML.
template <typename T>
std::string to_text(const T& value) {
  if constexpr (IsOptional<T>::value) {
    return value ? to_text(*value) : toml_string("auto");
  } else if constexpr (std::is_enum_v<T>) {
    for (const auto& [member, word] : Words<T>::kWords) {
      if (member == value) return toml_string(word);
    }
    return toml_string("");
  } else if constexpr (std::is_same_v<T, LossTerms>) {
    return toml_string(loss_text(value));
  } else if constexpr (std::is_same_v<T, std::string>) {
    return toml_string(value);
  } else if constexpr (std::is_same_v<T, Numbers>) {
    std::string text;
    for (const float number : value) text += (text.empty() ? "" : ", ") + to_text(number);
    return "[" + text + "]";
  } else if constexpr (std::is_floating_point_v<T>) {
    std::string text = fmt::format("{}", value);  // the shortest that reads back the same
    return text.find_first_not_of("-0123456789") == std::string::npos ? text + ".0" : text;
  } else {
    return fmt::format("{}", value);
  }
}

template <typename Number>
Number number_from(const std::string& text, const char* expected) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc() || stop != end) throw Error(expected);
  return value;
}

/// "[0.5, 0.25]", with or without the brackets.
Numbers numbers_from(std::string text) {
  constexpr const char* kExpected = "numbers with commas between";
  std::erase_if(text, [](char c) { return c == ' ' || c == '[' || c == ']'; });
  Numbers numbers;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    numbers.push_back(number_from<float>(text.substr(0, end), kExpected));
    text.erase(0, end + 1);
  }
  if (numbers.empty()) throw Error(kExpected);
  return numbers;
}

/// The value of a word or number, or an Error that says what was expected.
template <typename T>
void from_text(const std::string& text, T& value) {
  if constexpr (IsOptional<T>::value) {
    if (text == "auto") {
      value.reset();
    } else {
      from_text(text, value.emplace());
    }
  } else if constexpr (std::is_enum_v<T>) {
    std::string known;
    for (const auto& [member, word] : Words<T>::kWords) {
      if (text == word) {
        value = member;
        return;
      }
      known += (known.empty() ? "" : ", ") + std::string(word);
    }
    throw Error("one of " + known);
  } else if constexpr (std::is_same_v<T, LossTerms>) {
    value = parse_loss(text);
  } else if constexpr (std::is_same_v<T, Numbers>) {
    value = numbers_from(text);
  } else if constexpr (std::is_same_v<T, std::string>) {
    value = text;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (text != "true" && text != "false") throw Error("true or false");
    value = text == "true";
  } else if constexpr (std::is_floating_point_v<T>) {
    value = number_from<T>(text, "a number");
    if (!std::isfinite(value)) throw Error("a number");
  } else {
    value = number_from<T>(text, "a whole number");
  }
}

/// The numbers that can work; the ends are allowed unless `open`.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open = false;
};
constexpr Range kAny{};
constexpr Range at_least(double low) {
  return {.low = low};
}
constexpr Range above(double low) {
  return {.low = low, .open = true};
}
constexpr Range between(double low, double high) {
  return {.low = low, .high = high};
}

template <typename T>
void check_range(const std::string& key, const T& value, const Range& range) {
  if constexpr (IsOptional<T>::value) {
    if (value) check_range(key, *value, range);
  } else if constexpr (std::is_arithmetic_v<T>) {
    const auto number = static_cast<double>(value);
    const bool inside = range.open ? number > range.low && number < range.high
                                   : number >= range.low && number <= range.high;
    if (inside) return;
    throw Error(fmt::format("{} is {}; it must be {}", key, to_text(value),
                            range.open ? fmt::format("above {}", range.low)
                            : range.high == std::numeric_limits<double>::infinity()
                                ? fmt::format("at least {}", range.low)
                                : fmt::format("from {} to {}", range.low, range.high)));
  }
}

/// An option of TrainConfig, or of a struct in it: `members` is the way there.
template <typename... Members>
ConfigOption option(std::string key, std::string about, Range range, Members... members) {
  const auto reach = [=](auto& config) -> auto& {
    return (config.*....*members);
  };
  return {key, std::move(about), [=](const TrainConfig& config) { return to_text(reach(config)); },
          [=](TrainConfig& config, const std::string& text) {
            auto value = reach(config);
            try {
              from_text(text, value);
            } catch (const Error& expected) {
              throw Error(fmt::format("{} is \"{}\"; expected: {}{}", key, text, expected.what(),
                                      IsOptional<decltype(value)>::value ? ", or auto" : ""));
            }
            check_range(key, value, range);
            reach(config) = value;
          },
          [=](const TrainConfig& config) { check_range(key, reach(config), range); }};
}

}  // namespace

const std::vector<ConfigOption>& config_options() {
  using C = TrainConfig;
  using O = OptimizerOptions;
  using A = AugmentOptions;
  using B = BorderOptions;
  const auto augment = [](const char* name, const char* about, Range range, double A::*member) {
    return option(std::string("augment.") + name, about, range, &C::augment, member);
  };
  static const std::vector<ConfigOption> table{
      option("architecture", "the network (segmentum models lists them); auto: of init, or unet",
             kAny, &C::architecture),
      option("init", "a model file whose weights the training starts from", kAny, &C::init),
      option("freeze", "parts or patterns that stay as they are, with commas between", kAny,
             &C::freeze),
      option("mean", "what pictures are normalised by; auto: of init, or of the data", kAny,
             &C::mean),
      option("std", "the same: the deviation of each channel, in [0,1]", kAny, &C::std),
      option("one_class", "one sigmoid output instead of two classes", kAny, &C::one_class),
      option("frozen_batch_norm", "batch norms keep their running statistics", kAny,
             &C::frozen_batch_norm),
      option("aux_weight", "weight of the loss of auxiliary outputs", at_least(0), &C::aux_weight),
      option("steps", "length of the training in steps", at_least(1), &C::steps),
      option("minutes", "length of the training in minutes, turned into steps", above(0),
             &C::minutes),
      option("epochs", "length of the training in passes over the pictures", above(0), &C::epochs),
      option("batch", "batch size: pictures that go through the network together", at_least(1),
             &C::batch),
      option("accumulate", "batches whose gradients make one step", at_least(1), &C::accumulate),
      option("crop", "height and width of training crops", at_least(1), &C::crop),
      option("optimizer", "adamw or sgd", kAny, &C::optimizer, &O::kind),
      option("lr", "learning rate", above(0), &C::lr),
      option("weight_decay", "of convolution weights", at_least(0), &C::optimizer,
             &O::weight_decay),
      option("decay_all", "biases and norm parameters decay too", kAny, &C::optimizer,
             &O::decay_all),
      option("momentum", "of sgd", between(0, 1), &C::optimizer, &O::momentum),
      option("nesterov", "of sgd", kAny, &C::optimizer, &O::nesterov),
      option("beta1", "of adamw", between(0, 1), &C::optimizer, &O::beta1),
      option("beta2", "of adamw", between(0, 1), &C::optimizer, &O::beta2),
      option("epsilon", "of adamw", at_least(0), &C::optimizer, &O::epsilon),
      option("schedule", "of the learning rate: poly, cosine or constant", kAny, &C::schedule),
      option("poly_power", "of the poly schedule", at_least(0), &C::poly_power),
      option("warmup_steps", "steps over which the learning rate rises", at_least(0),
             &C::warmup_steps),
      option("clip", "largest norm of the gradient; 0: no gradient clipping", at_least(0),
             &C::clip),
      option("ema_decay", "of the moving average of the weights; 0: none", between(0, 0.999999),
             &C::ema_decay),
      option("loss", "cross_entropy, focal, dice, tversky, lovasz, boundary, ohem, top_k or a sum",
             kAny, &C::loss),
      option("focal_gamma", "how much focal forgets what is sure", at_least(0), &C::focal_gamma),
      option("tversky_alpha", "price of what is invented", at_least(0), &C::tversky_alpha),
      option("tversky_beta", "price of what is missed", above(0), &C::tversky_beta),
      option("hard_threshold", "of ohem: probabilities below it are hard", between(0, 1),
             &C::hard_threshold),
      option("hard_share", "part of the pixels: of ohem at least, of top_k just so many",
             between(0, 1), &C::hard_share),
      option("class_weights", "none, median_frequency, enet or effective_number", kAny,
             &C::class_weights),
      option("class_weight_cap", "largest class weight", above(0), &C::class_weight_cap),
      option("class_weight_beta", "of effective_number; auto: by the mean class",
             between(0, 0.999999999999), &C::class_weight_beta),
      option("border_weight", "w0 of U-Net's weights between instances (published: 10); 0: none",
             at_least(0), &C::border, &B::weight),
      option("border_sigma", "their sigma in pixels", above(0), &C::border, &B::sigma_px),
      option("border_line", "a line of background between instances that touch", kAny, &C::border,
             &B::line),
      option("train_split", "the split to learn from", kAny, &C::train_split),
      option("val_split", "the split that chooses the best weights; none: no validation", kAny,
             &C::val_split),
      option("validate_every", "epochs from one validation to the next", at_least(1),
             &C::validate_every),
      option("checkpoint_minutes", "longest time between two checkpoints", at_least(0),
             &C::checkpoint_minutes),
      option("log_every", "steps from one line of log.jsonl to the next", at_least(1),
             &C::log_every),
      option("check", "on: look for faults in the data first; off: train anyway", kAny,
             &C::data_check),
      option("seed", "of weights, order and augmentation", at_least(0), &C::seed),
      option("threads", "that compute; 0: all", between(0, 4096), &C::threads),
      option("workers", "threads that load and augment pictures", between(1, 256), &C::workers),
      option("cache_mb", "megabytes of decoded pictures kept in memory", at_least(0), &C::cache_mb),
      option("memory", "normal; lean: less memory, more time, the same weights", kAny, &C::memory),
      option("box_jitter", "of networks on boxes: how far each side moves, in boxes",
             between(0, 0.4), &C::box_jitter),
      augment("scale_min", "smallest enlargement of a picture", above(0), &A::scale_min),
      augment("scale_max", "largest enlargement of a picture", above(0), &A::scale_max),
      augment("flip_horizontal", "probability", between(0, 1), &A::flip_horizontal),
      augment("flip_vertical", "probability", between(0, 1), &A::flip_vertical),
      augment("class_crop", "part of the crops that are laid around a class drawn at random",
              between(0, 1), &A::class_crop),
      augment("rotation_degrees", "to both sides", at_least(0), &A::rotation_degrees),
      augment("shift", "in crop sides, to both sides", at_least(0), &A::shift),
      augment("elastic_px", "deviation of the elastic deformation", at_least(0), &A::elastic_px),
      augment("elastic_spacing_px", "distance of its grid points", above(0),
              &A::elastic_spacing_px),
      augment("brightness", "factors 1 - x to 1 + x", between(0, 1), &A::brightness),
      augment("contrast", "factors 1 - x to 1 + x", between(0, 1), &A::contrast),
      augment("saturation", "factors 1 - x to 1 + x", between(0, 1), &A::saturation),
      augment("gamma", "exponents 1 - x to 1 + x", between(0, 1), &A::gamma),
      augment("hue_turns", "to both sides", between(0, 0.5), &A::hue_turns),
      augment("noise", "largest deviation, in full scales", between(0, 1), &A::noise),
      augment("blur_px", "largest deviation of the blur", at_least(0), &A::blur_px),
  };
  return table;
}

const ConfigOption* find_config_option(const std::string& key) {
  for (const ConfigOption& candidate : config_options()) {
    if (candidate.key == key) return &candidate;
  }
  return nullptr;
}

std::string number_text(double number) {
  return to_text(number);
}

double positive_number(const std::string& key, const std::string& text) {
  double number = 0;
  try {
    from_text(text, number);
  } catch (const Error& expected) {
    throw Error(fmt::format("{} is \"{}\"; expected: {}", key, text, expected.what()));
  }
  check_range(key, number, above(0));
  return number;
}

}  // namespace segmentum
