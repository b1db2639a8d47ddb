// The one error type of the library, so that an application has one thing to catch.
#pragma once

#include <stdexcept>
#include <string>

namespace segmentum {

/// What went wrong, in one line: what is, what was expected, what would work.
/// The library throws it; it never prints and never exits.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what) : std::runtime_error(what) {}

  /// The same error, told of a file: "FILE: what".
  static Error in_file(const std::string& file, const std::string& what) {
    return Error(file + ": " + what);
  }
};

/// Thrown where the caller's `ProgressSink` or stop flag asked to stop; nothing is half-written.
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted") {}
};

}  // namespace segmentum
