// What every benchmark is: a main whose errors end in one line.
#pragma once

namespace segmentum {

/// Written by each benchmark; the exit status. May throw.
int benchmark(int argc, char** argv);

}  // namespace segmentum
