// Public data sets that lie in git repositories: where, at which commit, under which terms.
#pragma once

#include <string>
#include <vector>

namespace segmentum {

struct PublicDataset {
  /// How many PNG files a folder holds, those in folders of it included.
  struct Count {
    std::string folder;
    int files = 0;
  };

  std::string name;
  std::string title;
  std::string url;
  std::string commit;                // 40 hexadecimal digits
  std::vector<std::string> licence;  // lines
  int megabytes = 0;                 // about, to download
  std::vector<Count> folders;        // what is taken of the repository
  std::string data;                  // of them, the folder that is described
  std::string legend;                // the text of a classes.csv for it; empty: none
  bool object_folders = false;       // a mask file for each object: converted to masks
};

/// camvid, isbi2012, nuclei.
const std::vector<PublicDataset>& public_datasets();

/// The data set of this name. Throws Error listing those there are.
const PublicDataset& public_dataset(const std::string& name);

}  // namespace segmentum
