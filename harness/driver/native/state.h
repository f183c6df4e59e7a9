// What a fuzzing process shows to the outside while it runs, and leaves there when it dies.
#ifndef SHAKEDOWN_STATE_H
#define SHAKEDOWN_STATE_H

#include <stddef.h>
#include <stdint.h>

namespace shakedown {

const size_t MaxCurrent = 1 << 20;

// Mapped from a file; docs/driver.md has the layout. Written by the fuzzing thread only.
struct State {
  char Magic[8];
  uint32_t Version;
  uint32_t Pid;
  uint64_t Executions; // Of all incarnations of this process.
  uint64_t Panics;
  uint64_t Sites; // First seen by this incarnation.
  uint64_t Restarts;
  uint32_t IsRunning;   // The target was running: `Current` is the culprit of a death.
  uint32_t CurrentSize; // May exceed what `Current` holds.
  uint8_t Current[MaxCurrent];
};

// The state in the file at `Path`, kept from the incarnation before; in memory nobody sees if there is no such file.
State *openState(const char *Path);

} // namespace shakedown

#endif
