// When a caught panic may have spoilt the process, and how it begins anew: the same program, the same process number,
// the flags of the time and runs that are left.
#ifndef SHAKEDOWN_RESTART_H
#define SHAKEDOWN_RESTART_H

#include "crash.h"

namespace shakedown {

class Restart {
public:
  Restart(int argc, char **argv, uint64_t Count);
  // After each execution that ended well, respectively by a panic. The second answers whether to begin anew.
  void passed() { Streak = 0; }
  bool panicked(const Crash &C);
  // Doesn't return unless the system refuses.
  void now(uint64_t Executions);

private:
  int Argc;
  char **Argv;
  uint64_t Count, Started, Streak = 0, Panics = 0;
};

// The megabytes that -rss_limit_mb allows.
uint64_t memoryLimit(int argc, char **argv);

} // namespace shakedown

#endif
