#include "metrics/protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "segmentum/error.h"

namespace segmentum {
namespace {

std::vector<Protocol> make_protocols() {
  return {
      {.name = "voc",
       .about = "21 classes, the background counts as one; void (255) is ignored; each picture at "
                "its own size",
       .source = "Everingham et al., IJCV 2015, and the VOC2012 development kit",
       .classes = 21,
       .class_names = {"background", "aeroplane",   "bicycle", "bird",  "boat",
                       "bottle",     "bus",         "car",     "cat",   "chair",
                       "cow",        "diningtable", "dog",     "horse", "motorbike",
                       "person",     "pottedplant", "sheep",   "sofa",  "train",
                       "tvmonitor"},
       .reported = {"mean IoU"}},
      {.name = "camvid11",
       .about = "11 classes, no background; void is ignored; at 480x360; borders within 0.75 % of "
                "the diagonal",
       .source = "Badrinarayanan et al., SegNet, PAMI 2017, on its split of 367, 101 and 233 "
                 "pictures",
       .classes = 11,
       .class_names = {"sky", "building", "pole", "road", "pavement", "tree", "signsymbol", "fence",
                       "car", "pedestrian", "bicyclist"},
       .height = 360,
       .width = 480,
       .boundary = BoundaryTolerance::of_diagonal(0.0075),
       .reported = {"mean IoU", "mean accuracy", "pixel accuracy", "boundary F, mean of pictures",
                    "boundary F"}},
      {.name = "cityscapes",
       .about = "19 classes (trainIds), no background; all else is ignored; at 2048x1024",
       .source = "Cordts et al., CVPR 2016; IoU of classes, not of categories, not "
                 "instance-weighted (iIoU)",
       .classes = 19,
       .class_names = {"road", "sidewalk", "building", "wall", "fence", "pole", "trafficlight",
                       "trafficsign", "vegetation", "terrain", "sky", "person", "rider", "car",
                       "truck", "bus", "train", "motorcycle", "bicycle"},
       .height = 1024,
       .width = 2048,
       .reported = {"mean IoU"}},
      {.name = "ade20k",
       .about = "150 classes, no background; other (0) is ignored; each picture at its own size",
       .source = "Zhou et al., CVPR 2017: the challenge's score is the mean of pixel "
                 "accuracy and mean IoU",
       .classes = 150,
       .reported = {"mean of pixel accuracy and mean IoU", "mean IoU", "pixel accuracy"}},
      {.name = "isbi2012",
       .about = "2 classes, membrane 0 and the interior of cells 1; at 512x512; means over slices; "
                "thinned scores at the best threshold of the cells' probability",
       .source = "Arganda-Carreras et al., Frontiers in Neuroanatomy 2015",
       .classes = 2,
       .class_names = {"membrane", "cells"},
       .other_names = {{"membranes", "border", "borders", "boundary", "boundaries", "edge", "edges",
                        "wall", "walls"},
                       {"cell", "interior", "inside", "cellinterior", "intracellular", "cytoplasm",
                        "neuron", "neurons", "neurite", "neurites"}},
       .height = 512,
       .width = 512,
       .interior = 1,
       .thresholds = true,
       .larger_class = 1,
       .reported = {"thinned Rand F-score", "threshold of thinned Rand F-score",
                    "thinned information F-score", "threshold of thinned information F-score",
                    "best Rand F-score", "Rand F-score", "Rand error", "warping error",
                    "pixel error", "variation of information (bits)"}},
      {.name = "dsb2018",
       .about = "2 classes, background 0 and nuclei 1; each picture at its own size; objects are "
                "the 4-connected regions of class 1, the true ones those of instance maps",
       .source =
           "Caicedo et al., Nature Methods 2019: TP / (TP + FP + FN), the mean over IoU 0.50, "
           "0.55, ..., 0.95, then over pictures",
       .classes = 2,
       .class_names = {"background", "nuclei"},
       .other_names = {{"bg"}, {"nucleus", "foreground", "object", "objects", "cell", "cells"}},
       .larger_class = 0,
       .objects = true,
       .reported = {"object precision 0.50..0.95", "object precision 0.50",
                    "object precision 0.75"}}};
}

/// Letters and digits alone, in lower case.
std::string plain(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter)) text += static_cast<char>(std::tolower(letter));
  }
  return text;
}

/// Whether class k of the protocol goes by this name.
bool goes_by(const Protocol& protocol, std::size_t k, const std::string& name) {
  const std::string word = plain(name);
  if (word == protocol.class_names[k]) return true;
  if (k >= protocol.other_names.size()) return false;
  return std::ranges::find(protocol.other_names[k], word) != protocol.other_names[k].end();
}

void require_order(const Protocol& protocol, std::span<const ClassInfo> classes) {
  if (protocol.other_names.empty()) return;
  for (std::size_t k = 0; k < classes.size(); ++k) {
    for (std::size_t other = 0; other < classes.size(); ++other) {
      if (other == k || !goes_by(protocol, other, classes[k].name)) continue;
      throw Error(fmt::format(
          "class {} is \"{}\", but in the protocol {} class {} is {} and class {} is {}; describe "
          "the data in that order and train on it so, or score without --protocol",
          k, classes[k].name, protocol.name, k, protocol.class_names[k], other,
          protocol.class_names[other]));
    }
  }
}

}  // namespace

std::span<const Protocol> protocols() {
  static const std::vector<Protocol> all = make_protocols();
  return all;
}

const Protocol& find_protocol(const std::string& name) {
  std::string known;
  for (const Protocol& protocol : protocols()) {
    if (protocol.name == name) return protocol;
    known += (known.empty() ? "" : ", ") + protocol.name;
  }
  throw Error(fmt::format("there is no protocol \"{}\"; there are {}", name, known));
}

void require_classes(const Protocol& protocol, std::span<const ClassInfo> classes) {
  if (static_cast<int>(classes.size()) == protocol.classes) {
    return require_order(protocol, classes);
  }
  throw Error(fmt::format(
      "the data set has {} classes, the protocol {} scores {}: {}; describe the data so "
      "(dataset.toml can drop, merge and ignore), or score without --protocol",
      classes.size(), protocol.name, protocol.classes, protocol.about));
}

void require_size(const Protocol& protocol, int height, int width, const std::string& mask) {
  if (protocol.height == 0 || (height == protocol.height && width == protocol.width)) return;
  throw Error::in_file(
      mask, fmt::format("is {}x{}, the protocol {} is scored at {}x{}; use the pictures of that "
                        "size, or score without --protocol",
                        width, height, protocol.name, protocol.width, protocol.height));
}

std::string other_class_names(const Protocol& protocol, std::span<const ClassInfo> classes) {
  std::size_t others = 0, first = 0;
  const std::size_t named = std::min(classes.size(), protocol.class_names.size());
  for (std::size_t k = 0; k < named; ++k) {
    if (goes_by(protocol, k, classes[k].name)) continue;
    if (others++ == 0) first = k;
  }
  if (others == 0) return "";
  return fmt::format(
      "{} of {} classes have other names than in the protocol {}, such as class {}, \"{}\" "
      "instead of \"{}\": are they the same?",
      others, named, protocol.name, first, classes[first].name, protocol.class_names[first]);
}

std::string exchanged_classes(const Protocol& protocol, std::span<const ClassInfo> classes,
                              const Scores& scores) {
  if (!protocol.larger_class || scores.pixels == 0) return "";
  const auto k = static_cast<std::size_t>(*protocol.larger_class);
  const double share =
      static_cast<double>(scores.classes.at(k).truth_pixels) / static_cast<double>(scores.pixels);
  if (share >= 0.5) return "";
  return fmt::format(
      "class {}, \"{}\", which the protocol {} takes for {}, covers {:.1f} % of the labelled "
      "pixels, where most are usual: are the classes exchanged?",
      k, classes[k].name, protocol.name, protocol.class_names[k], 100 * share);
}

}  // namespace segmentum
