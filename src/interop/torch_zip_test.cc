// Zip archives that are not as torch.save writes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include "interop/checkpoint.h"
#include "interop/testing.h"

namespace segmentum {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

/// A state dict {"w": [2.5]} of one float in storage "0".
std::string program() {
  return "\x80\x02}"s + pickled_text("w") + "ctorch._utils\n_rebuild_tensor_v2\n((" +
         pickled_text("storage") + "ctorch\nFloatStorage\n" + pickled_text("0") +
         pickled_text("cpu") + "K\x01tQK\x00))tRs."s;
}

using Entries = std::map<std::string, std::string>;

Entries good_entries() {
  return {{"a/data.pkl", program()}, {"a/data/0", raw(2.5f)}, {"a/version", "3\n"}};
}

std::string zip_of(const Entries& entries, int method = ZIP_CM_STORE) {
  const auto path = std::filesystem::path(testing::TempDir()) / "interop_zip_test.zip";
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  for (const auto& [name, bytes] : entries) {
    zip_source_t* source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), method, 0);
  }
  EXPECT_EQ(zip_close(archive), 0);
  const std::string bytes = read_file(path);
  std::filesystem::remove(path);
  return bytes;
}

std::string says(const std::string& bytes) {
  return complaint([&] { parse_checkpoint(bytes).read("w"); });
}

/// Every `from` turned into `to`, of the same length: names stand twice in an archive.
std::string with_all(std::string bytes, const std::string& from, const std::string& to) {
  for (std::size_t at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + 1)) {
    bytes.replace(at, from.size(), to);
  }
  return bytes;
}

TEST(TorchZip, ByHand) {
  const std::string bytes = zip_of(good_entries());
  EXPECT_EQ(parse_checkpoint(bytes).read("w").values()[0], 2.5f);
}

TEST(TorchZip, CompressedEntriesAreRefusedUnopened) {
  Entries bomb = good_entries();
  bomb["a/data/0"] = std::string(std::size_t{16} << 20, '\0');
  const std::string bytes = zip_of(bomb, ZIP_CM_DEFLATE);
  EXPECT_LT(bytes.size(), 100'000u);
  EXPECT_THAT(says(bytes), HasSubstr("entry a/data.pkl of the zip archive is compressed"));
}

TEST(TorchZip, EntriesThatAreMissingOrTooMany) {
  const auto without = [](const std::string& name) {
    Entries entries = good_entries();
    entries.erase(name);
    return zip_of(entries);
  };
  const auto and_also = [](const std::string& name, const std::string& bytes) {
    Entries entries = good_entries();
    entries[name] = bytes;
    return zip_of(entries);
  };
  EXPECT_THAT(says(without("a/data.pkl")), HasSubstr("a zip archive without data.pkl"));
  EXPECT_THAT(says(without("a/data/0")), HasSubstr("has no entry a/data/0"));
  EXPECT_THAT(says(and_also("b/data.pkl", "")), HasSubstr("holds several checkpoints"));
  EXPECT_THAT(says(and_also("a/constants.pkl", "")), HasSubstr("is a TorchScript program"));
  EXPECT_THAT(says(and_also("a/byteorder", "big")), HasSubstr("big-endian"));
  EXPECT_EQ(says(and_also("a/byteorder", "little")), "none");
  EXPECT_THAT(says(and_also("a/data/0", raw(2.5))),
              HasSubstr("storage \"0\" has 8 bytes, expected 4"));
  EXPECT_THAT(says(with_all(and_also("a/data/1", ""), "a/data/1", "a/data/0")),
              HasSubstr("a/data/0: it stands twice"));
}

TEST(TorchZip, AKeyIsNoPath) {
  Entries entries = good_entries();
  entries["a/data.pkl"] = with_all(program(), pickled_text("0"), pickled_text("../version"));
  EXPECT_THAT(says(zip_of(entries)), HasSubstr("has no entry a/data/../version"));
}

TEST(TorchZip, ChecksumsAreCompared) {
  EXPECT_THAT(says(with_all(zip_of(good_entries()), raw(2.5f), raw(3.5f))),
              HasSubstr("the zip archive is damaged at a/data/0"));
}

TEST(TorchZip, CutShort) {
  const std::string bytes = zip_of(good_entries());
  for (std::size_t cut = 4; cut < bytes.size(); ++cut) {
    EXPECT_THAT(says(bytes.substr(0, cut)), HasSubstr("the zip archive is damaged")) << cut;
  }
}

}  // namespace
}  // namespace segmentum
