#include "train/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "segmentum/error.h"

namespace segmentum {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(TrainConfig, SetsOptionsByName) {
  TrainConfig config;
  set_option(config, "lr", "0.01");
  set_option(config, "batch", "8");
  set_option(config, "optimizer", "sgd");
  set_option(config, "nesterov", "true");
  set_option(config, "class_weights", "enet");
  set_option(config, "augment.rotation_degrees", "15");
  set_option(config, "model.width", "32");
  set_option(config, "ema_decay", "0.99");
  EXPECT_EQ(config.lr, 0.01);
  EXPECT_EQ(config.batch, 8);
  EXPECT_EQ(config.optimizer.kind, OptimizerKind::sgd);
  EXPECT_TRUE(config.optimizer.nesterov);
  EXPECT_EQ(config.class_weights, WeightRule::enet);
  EXPECT_EQ(config.augment.rotation_degrees, 15);
  EXPECT_EQ(config.model.at("width"), "32");
  EXPECT_EQ(config.ema_decay, 0.99);
  set_option(config, "ema_decay", "auto");
  EXPECT_EQ(config.ema_decay, std::nullopt);
}

TEST(TrainConfig, TheLengthSaidLastCounts) {
  TrainConfig config;
  set_option(config, "steps", "500");
  set_option(config, "epochs", "auto");  // as in a config.toml: says nothing
  EXPECT_EQ(config.steps, 500);
  set_option(config, "minutes", "2.5");
  EXPECT_EQ(config.steps, std::nullopt);
  EXPECT_EQ(config.minutes, 2.5);
  set_option(config, "epochs", "3");
  EXPECT_EQ(config.minutes, std::nullopt);
}

TEST(TrainConfig, TomlGivesEverythingBack) {
  TrainConfig config;
  config.lr = 0.1 + 0.2;  // needs all 17 digits
  config.architecture = "a \"quoted\" \\ name";
  config.model = {{"width", "24"}, {"up", "bilinear"}};
  config.steps = 123456789012;
  config.one_class = false;
  config.augment.hue_turns = 0.05;
  config.class_weights = WeightRule::median_frequency;
  config.schedule = ScheduleKind::cosine;
  config.optimizer.epsilon = 1e-12;
  const std::string text = to_toml(config);
  TrainConfig read;
  read_train_config(read, text, "config.toml");
  EXPECT_EQ(to_toml(read), text);
  EXPECT_EQ(read.lr, config.lr);
  EXPECT_EQ(read.architecture, config.architecture);
  EXPECT_EQ(read.model, config.model);
  EXPECT_EQ(read.steps, config.steps);
  EXPECT_EQ(read.one_class, false);
  EXPECT_EQ(read.ema_decay, std::nullopt);
  EXPECT_EQ(read.optimizer.epsilon, 1e-12);
}

TEST(TrainConfig, FineTuningSurvivesToml) {
  TrainConfig config;
  config.init = "/models/a b.segmentum";
  config.freeze = "backbone,*.bias";
  config.mean = {0.485f, 0.1f};
  set_option(config, "std", "0.25, 0.5");
  set_option(config, "lr.encoder.0", "0.1");
  set_option(config, "lr.*.bias", "2");
  config.asked = {{"minutes", "20.0"}, {"steps", "7"}};
  config.steps = 7;
  EXPECT_EQ(config.std, (std::vector<float>{0.25f, 0.5f}));
  EXPECT_EQ(config.lr, 2e-3);  // the rate itself stays
  const std::string text = to_toml(config);
  TrainConfig read;
  read_train_config(read, text, "config.toml");
  EXPECT_EQ(to_toml(read), text);
  EXPECT_EQ(read.init, config.init);
  EXPECT_EQ(read.freeze, config.freeze);
  EXPECT_EQ(read.mean, config.mean);
  EXPECT_EQ(read.lr_factors, (std::map<std::string, double>{{"encoder.0", 0.1}, {"*.bias", 2}}));
  EXPECT_EQ(read.asked, config.asked);
  read_train_config(read, "[lr_factors]\nencoder.0 = 0.5\n", "my.toml");
  EXPECT_EQ(read.lr_factors.at("encoder.0"), 0.5);
}

std::optional<std::string> difference(const std::vector<TrainSetting>& given,
                                      const TrainConfig& run) {
  TrainConfig wanted;
  for (const TrainSetting& setting : given) set_option(wanted, setting.key, setting.value);
  return difference_from_run(given, wanted, run);
}

TEST(TrainConfig, TellsHowAResumedRunDiffers) {
  TrainConfig run;
  run.architecture = "unet";
  run.model = {{"width", "16"}};
  run.steps = 100;
  run.asked = {{"minutes", "2.5"}, {"steps", "100"}};
  run.one_class = true;
  run.lr_factors = {{"encoder", 0.1}};
  run.init = std::filesystem::absolute("a.segmentum").string();
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"lr", "2e-3"},
                                                        {"steps", "100"},
                                                        {"minutes", "2.50"},
                                                        {"check", "off"},
                                                        {"one_class", "auto"},
                                                        {"one_class", "true"},
                                                        {"architecture", "unet"},
                                                        {"model.width", "16"},
                                                        {"lr.encoder", "0.1"},
                                                        {"init", "./a.segmentum"}}) {
    EXPECT_EQ(difference({{key, value, ""}}, run), std::nullopt) << key;
  }
  EXPECT_EQ(difference({{"batch", "4", ""}, {"lr", "0.1", ""}}, run),
            "lr is 0.1, the run has 0.002");
  EXPECT_EQ(difference({{"lr", "0.1", ""}, {"lr", "0.002", ""}}, run), std::nullopt);
  EXPECT_EQ(difference({{"model.width", "32", ""}}, run), "model.width is 32, the run has 16");
  EXPECT_EQ(difference({{"lr.head", "3", ""}}, run), "lr.head is 3.0, the run has 1.0");
  EXPECT_EQ(difference({{"minutes", "3", ""}}, run), "minutes is 3.0, the run has 2.5");
  EXPECT_EQ(difference({{"epochs", "3", ""}}, run),
            "epochs is 3.0, the run has 100 steps made of minutes = 2.5");
  run.asked["steps"] = "99";  // of a run whose settings this one took over
  EXPECT_EQ(difference({{"minutes", "2.5", ""}}, run), "minutes is 2.5, the run has 100 steps");
  EXPECT_EQ(difference({{"init", "b.segmentum", ""}}, run)->substr(0, 8), "init is ");
}

TEST(TrainConfig, ReadsWhatAPersonWrites) {
  TrainConfig config;
  read_train_config(config, "lr = 1\nepochs = 10\n[model]\nwidth = 8\n[augment]\nnoise = 0.1\n",
                    "my.toml");
  EXPECT_EQ(config.lr, 1);
  EXPECT_EQ(config.epochs, 10);
  EXPECT_EQ(config.model.at("width"), "8");
  EXPECT_EQ(config.augment.noise, 0.1);
}

void expect_refused(const std::string& key, const std::string& value, const std::string& says) {
  TrainConfig config;
  const std::string before = to_toml(config);
  EXPECT_THAT([&] { set_option(config, key, value); }, ThrowsMessage<Error>(HasSubstr(says)));
  EXPECT_EQ(to_toml(config), before);
}

TEST(TrainConfig, NamesNearOptions) {
  expect_refused("learning_rate", "1", "no training option \"learning_rate\"; did you mean lr");
  expect_refused("batchsize", "1", "did you mean batch");
  expect_refused("weight_deacy", "1", "did you mean weight_decay");
  expect_refused("rotation", "1", "did you mean augment.rotation_degrees");
  expect_refused("zzzzzzzzz", "1", "no training option \"zzzzzzzzz\"; a run's config.toml lists");
}

TEST(TrainConfig, SaysWhatAValueMayBe) {
  expect_refused("lr", "fast", "lr is \"fast\"; expected: a number");
  expect_refused("lr", "0", "lr is 0.0; it must be above 0");
  expect_refused("lr", "nan", "lr is \"nan\"; expected: a number");
  expect_refused("batch", "2.5", "batch is \"2.5\"; expected: a whole number");
  expect_refused("batch", "-1", "batch is -1; it must be at least 1");
  expect_refused("momentum", "2", "it must be from 0 to 1");
  expect_refused("optimizer", "adam", "optimizer is \"adam\"; expected: one of sgd, adamw");
  expect_refused("class_weights", "x",
                 "one of none, median_frequency, enet, effective_number, or auto");
  expect_refused("mean", "a", "mean is \"a\"; expected: numbers with commas between, or auto");
  expect_refused("lr.head", "0", "lr.head is 0.0; it must be above 0");
  expect_refused("lr.head", "x", "lr.head is \"x\"; expected: a number");
  expect_refused("one_class", "yes", "expected: true or false, or auto");
}

TEST(TrainConfig, TellsTheLineOfAFile) {
  TrainConfig config;
  EXPECT_THAT(
      [&] { read_train_config(config, "lr = 0.1\nbatsh = 3\n", "my.toml"); },
      ThrowsMessage<Error>(AllOf(HasSubstr("my.toml:2: "), HasSubstr("did you mean batch"))));
  EXPECT_THAT([&] { read_train_config(config, "lr = [1]\n", "my.toml"); },
              ThrowsMessage<Error>(HasSubstr("my.toml:1: lr is \"[1]\"; expected: a number")));
  EXPECT_THAT([&] { read_train_config(config, "mean = [1, \"a\"]\n", "my.toml"); },
              ThrowsMessage<Error>(HasSubstr("my.toml:1: mean must be a text, a number, a list")));
  EXPECT_THAT([&] { read_train_config(config, "lr = = 1\n", "my.toml"); },
              ThrowsMessage<Error>(HasSubstr("my.toml:1: not TOML")));
}

TEST(TrainConfig, CheckFindsWhatWasSetInCode) {
  TrainConfig config;
  check(config);
  config.batch = 0;
  EXPECT_THAT([&] { check(config); },
              ThrowsMessage<Error>(HasSubstr("batch is 0; it must be at least 1")));
  config = TrainConfig{};
  config.augment.scale_min = 2;  // above scale_max
  EXPECT_THROW(check(config), Error);
}

TEST(TrainConfig, DescribesEveryOption) {
  const std::vector<OptionDescription> options = train_options();
  EXPECT_GT(options.size(), 40u);
  for (const OptionDescription& option : options) {
    EXPECT_FALSE(option.about.empty()) << option.key;
    TrainConfig config;
    std::string value = option.value;
    std::erase(value, '"');
    EXPECT_NO_THROW(set_option(config, option.key, value)) << option.key;
  }
}

}  // namespace
}  // namespace segmentum
