// Raw stacks: which code was running, as module and offset. Nothing is looked up by name here.
#ifndef SHAKEDOWN_STACK_H
#define SHAKEDOWN_STACK_H

#include "crash.h"

namespace shakedown {

const size_t MaxModules = 64;
const size_t MaxPath = 512;

struct Module {
  uint64_t Base;       // What is subtracted from an address to get the one in the file.
  uint64_t Start, End; // The addresses that it occupies.
  char Path[MaxPath];
};

// Reads the modules that are loaded now and makes the unwinder load what it needs, so that a signal handler finds both
// ready. Call again after the target's initialisation, which may load more.
void prepareStacks();

// The calling thread runs the target from here on: stacks of this thread end at this frame, since what is below it is
// ours and differs between modes.
void markBoundary(const void *Frame);

// Puts the calling thread's stack into `Into`, leaving out the innermost `Skip` frames of the caller's choice.
enum class Caller { Code, SignalHandler };
void captureStack(Crash &Into, size_t Skip, Caller From);

// Null where `Index` names none.
const Module *moduleAt(uint16_t Index);

} // namespace shakedown

#endif
