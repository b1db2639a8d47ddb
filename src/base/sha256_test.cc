#include "base/sha256.h"

#include <gmock/gmock.h>

#include "base/file.h"

namespace segmentum {
namespace {

// FIPS 180-2, appendix B.
constexpr const char* kOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Sha256, IsThatOfTheStandard) {
  Sha256 hash;
  EXPECT_EQ(hash.add("a").add("bc").digits(), kOfAbc);
  EXPECT_EQ(hash.digits(), kOfNothing);
}

TEST(Sha256, OfAFile) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "sha256_test";
  write_file(file, "abc");
  EXPECT_EQ(sha256_of(file), kOfAbc);
  write_file(file, "");
  EXPECT_EQ(sha256_of(file), kOfNothing);
  std::filesystem::remove(file);
  EXPECT_THAT(
      [&] { sha256_of(file); },
      testing::ThrowsMessage<Error>(testing::HasSubstr("sha256_test: there is no such file")));
  EXPECT_THROW(sha256_of("/dev/zero"), Error);
}

}  // namespace
}  // namespace segmentum
