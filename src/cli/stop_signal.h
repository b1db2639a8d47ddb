// Ctrl-C and kill: the first asks the work to stop at a safe point, the second ends the program.
#pragma once

namespace segmentum {

/// From now on SIGINT and SIGTERM are noted instead of ending the program at once.
void catch_stop_signals();

/// The signal that was noted, or 0.
int stop_signal();

}  // namespace segmentum
