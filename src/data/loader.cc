#include "data/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <future>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>

#include "base/threads.h"
#include "data/picture_cache.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

// The stream of an epoch's order; samples use their index.
constexpr std::uint32_t kOrderStream = 0xFFFFFFFFu;

void check(const Dataset& dataset, const LoaderOptions& options) {
  check(options.augment);
  const auto expect = [](bool good, const char* name, std::int64_t value, const char* expected) {
    if (!good) throw Error(fmt::format("loader `{}` is {}; expected {}", name, value, expected));
  };
  expect(options.batch_size >= 1, "batch_size", options.batch_size, "at least 1");
  expect(options.workers >= 1 && options.workers <= 256, "workers", options.workers, "1 to 256");
  expect(options.prefetch >= 1, "prefetch", options.prefetch, "at least 1");
  expect(options.first_step >= 0, "first_step", options.first_step, "at least 0");
  const std::vector<Sample>& samples = dataset.split(options.split);
  if (samples.empty()) {
    throw Error::in_file(
        dataset.root.string(),
        fmt::format("split \"{}\" is empty; training needs pictures with masks", options.split));
  }
  if (options.boxes && options.boxes->boxes.empty()) {
    throw Error::in_file(
        dataset.root.string(),
        fmt::format("the pictures of split \"{}\" show no object to train on", options.split));
  }
  for (const Sample& sample : samples) {
    if (sample.mask.empty()) {
      throw Error::in_file((dataset.root / sample.image).string(),
                           fmt::format("has no mask but is in split \"{}\"; list it with one or "
                                       "leave it out",
                                       options.split));
    }
  }
}

/// How many examples an epoch has.
int example_count(const Dataset& dataset, const LoaderOptions& options) {
  return static_cast<int>(options.boxes ? options.boxes->boxes.size()
                                        : dataset.split(options.split).size());
}

// Makes any batch on its own. One for each worker; the cache is shared.
class BatchMaker {
 public:
  BatchMaker(const Dataset& dataset, const LoaderOptions& options, PictureCache& cache)
      : options_(options),
        samples_(dataset.split(options.split)),
        count_(example_count(dataset, options)),
        cache_(cache) {}

  Batch make(std::int64_t step) {
    Batch batch;
    for (std::int64_t n = 0; n < options_.batch_size; ++n) {
      const std::int64_t shown = step * options_.batch_size + n;
      const auto epoch = static_cast<std::uint32_t>(shown / count_);
      add(order(epoch)[shown % count_], epoch, n, batch);
    }
    return batch;
  }

 private:
  const std::vector<int>& order(std::uint32_t epoch) {
    if (order_.empty() || epoch != order_epoch_) {
      order_ = epoch_order(count_, options_.seed, epoch);
      order_epoch_ = epoch;
    }
    return order_;
  }

  void add(int index, std::uint32_t epoch, std::int64_t n, Batch& batch) {
    RandomStream random(options_.seed, epoch, static_cast<std::uint32_t>(index));
    const int picture = options_.boxes ? options_.boxes->boxes[index].picture : index;
    LabelledPicture crop = changed(*cache_.get(picture), index, random);
    if (options_.border.line) draw_border_line(crop.instances, crop.labels);
    if (options_.border.weight > 0) {
      const std::vector<float> weights = border_weights(crop.instances, options_.border);
      batch.border_weights.insert(batch.border_weights.end(), weights.begin(), weights.end());
    }
    if (n == 0) {
      batch.images = Tensor({options_.batch_size, options_.preprocess.channels(),
                             crop.image.height(), crop.image.width()});
      batch.labels.resize(crop.labels.labels().size() * options_.batch_size);
    }
    try {
      to_tensor(crop.image, options_.preprocess, batch.images.view(), n);
    } catch (const Error& error) {
      throw Error::in_file(samples_[picture].image.string(), error.what());
    }
    std::ranges::copy(
        crop.labels.labels(),
        batch.labels.begin() + n * static_cast<std::ptrdiff_t>(crop.labels.labels().size()));
    batch.samples.push_back(index);
  }

  LabelledPicture changed(const LabelledPicture& picture, int index, RandomStream& random) const {
    if (options_.boxes) {
      return box_example(picture, *options_.boxes, index, options_.augment, random);
    }
    return augment(picture.image, picture.labels, options_.augment, random, picture.instances);
  }

  const LoaderOptions& options_;
  const std::vector<Sample>& samples_;
  const int count_;
  PictureCache& cache_;
  std::vector<int> order_;
  std::uint32_t order_epoch_ = 0;
};

}  // namespace

// The threads, and the batches that are ready. Steps are claimed in order, so the batch that `next`
// waits for is always among those being made.
class Loader::Workers {
 public:
  Workers(const Dataset& dataset, const LoaderOptions& options)
      : dataset_(dataset),
        options_(options),
        cache_(dataset_, options.split, options.cache_bytes,
               options.boxes || options.border.need_instances()),
        next_step_(options.first_step),
        unclaimed_step_(options.first_step) {
    for (int i = 0; i < options.workers; ++i) threads_.emplace_back([this] { work(); });
  }

  ~Workers() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  Batch next() {
    const auto start = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ready_.contains(next_step_); });
    seconds_waited_ +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    Made& made = ready_.at(next_step_);
    if (made.error) std::rethrow_exception(made.error);
    Batch batch = std::move(made.batch);
    ready_.erase(next_step_++);
    lock.unlock();
    changed_.notify_all();
    return batch;
  }

  void wait_until_full() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock,
                  [&] { return ready_.size() == static_cast<std::size_t>(options_.prefetch); });
  }

  double seconds_waited() const {
    const std::scoped_lock lock(mutex_);
    return seconds_waited_;
  }
  int sample_count() const { return example_count(dataset_, options_); }

 private:
  struct Made {
    Batch batch;
    std::exception_ptr error;
  };

  void work() {
    set_threads(1);  // of this worker: the trainer's own threads have the cores
    BatchMaker maker(dataset_, options_, cache_);
    while (const auto step = claim()) {
      Made made;
      try {
        made.batch = maker.make(*step);
      } catch (...) {
        made.error = std::current_exception();
      }
      {
        const std::scoped_lock lock(mutex_);
        ready_.emplace(*step, std::move(made));
      }
      changed_.notify_all();
    }
  }

  // The next step to make, once there is room for it; none when it is time to stop.
  std::optional<std::int64_t> claim() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock,
                  [&] { return stopping_ || unclaimed_step_ < next_step_ + options_.prefetch; });
    if (stopping_) return std::nullopt;
    return unclaimed_step_++;
  }

  const Dataset dataset_;
  const LoaderOptions options_;
  PictureCache cache_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t next_step_;
  std::int64_t unclaimed_step_;
  std::map<std::int64_t, Made> ready_;
  double seconds_waited_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // last: they use all of the above
};

Loader::Loader(const Dataset& dataset, const LoaderOptions& options) {
  check(dataset, options);
  workers_ = std::make_unique<Workers>(dataset, options);
}

Loader::~Loader() = default;

Batch Loader::next() {
  return workers_->next();
}

void Loader::wait_until_full() {
  workers_->wait_until_full();
}

double Loader::seconds_waited() const {
  return workers_->seconds_waited();
}

int Loader::sample_count() const {
  return workers_->sample_count();
}

std::vector<int> epoch_order(int samples, std::uint64_t seed, std::uint32_t epoch) {
  std::vector<int> order(samples);
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(seed, epoch, kOrderStream);
  for (int i = samples; i > 1; --i) {
    std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
  }
  return order;
}

void for_each_labelled(const Dataset& dataset, const std::string& split,
                       const std::function<void(int, const LabelledPicture&)>& visit) {
  const std::vector<Sample>& samples = dataset.split(split);
  if (samples.empty()) return;
  const auto read = [&](std::size_t i) {
    return std::async(std::launch::async,
                      [&dataset, &sample = samples[i]] { return read_labelled(dataset, sample); });
  };
  std::future<LabelledPicture> ahead = read(0);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const LabelledPicture picture = ahead.get();
    if (i + 1 < samples.size()) ahead = read(i + 1);
    visit(static_cast<int>(i), picture);
  }
}

}  // namespace segmentum
