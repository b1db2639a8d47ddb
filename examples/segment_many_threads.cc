// Many pictures on many threads: one model, a context for each thread.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "segmentum/files.h"
#include "segmentum/segmenter.h"

namespace {

/// The share of pixels that have the class `label`, in percent.
double percent(const segmentum::LabelMap& labels, int label) {
  std::size_t count = 0;
  for (std::uint16_t each : labels.labels()) count += each == label ? 1 : 0;
  return 100.0 * static_cast<double>(count) / static_cast<double>(labels.labels().size());
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4) {
    std::fprintf(stderr, "usage: segment_many_threads MODEL.segmentum THREADS PICTURE...\n");
    return 2;
  }
  // Every picture on one thread, many pictures at once: the most pictures a second.
  const auto segmenter = segmentum::Segmenter::load(argv[1], {.threads = 1});
  const std::vector<std::string> pictures(argv + 3, argv + argc);
  std::vector<std::string> results(pictures.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    segmentum::Segmenter::Context context = segmenter.make_context();
    for (std::size_t i = next++; i < pictures.size(); i = next++) {
      try {
        const auto labels = context.segment(segmentum::load_picture(pictures[i]));
        results[i] = pictures[i] + ": " + std::to_string(percent(labels, 0)) + " % " +
                     segmenter.classes()[0].name;
      } catch (const segmentum::Error& error) {
        results[i] = error.what();
      }
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < std::atoi(argv[2]); ++i) threads.emplace_back(work);
  threads.clear();  // joins
  for (const std::string& line : results) std::printf("%s\n", line.c_str());
  return 0;
} catch (const segmentum::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
