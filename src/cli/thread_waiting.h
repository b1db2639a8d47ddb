// How OpenMP's threads wait for work.
#pragma once

namespace segmentum {

/// Between two kernels OpenMP's threads spin, by default for milliseconds. On a machine that does
/// anything else, be it our own loader, they keep the cores from those they wait for: a training
/// beside another program ran ten times slower. GNU's runtime reads how long to spin before main(),
/// so the program starts itself once more with a short time set, unless the person has set one.
/// Costs about 10 ms; returns where it cannot.
void shorten_thread_spinning(char** argv);

}  // namespace segmentum
