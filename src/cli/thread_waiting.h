// How the threads of a parallel loop wait for each other.
#pragma once

namespace segmentum {

/// Makes waiting threads sleep after some microseconds. libgomp lets them spin for a millisecond,
/// which makes a training several times slower as soon as anything else, our own loader included,
/// wants one of the cores. libgomp reads GOMP_SPINCOUNT when it is loaded and never again, so the
/// program starts anew in its place, with the same process id, in 20 ms. Does nothing where the
/// person chose how threads wait (OMP_WAIT_POLICY, GOMP_SPINCOUNT), or where it cannot start anew.
void let_waiting_threads_sleep(char** argv);

}  // namespace segmentum
