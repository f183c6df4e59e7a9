// One execution of the target and how it ended, for every mode but plain libFuzzer.
#ifndef SHAKEDOWN_EXECUTE_H
#define SHAKEDOWN_EXECUTE_H

#include "crash.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size);

namespace shakedown {

struct Limits {
  uint64_t TimeMs = 0;   // Longest time of one execution; 0 for none.
  uint64_t MemoryMb = 0; // Most resident memory of the process; 0 for none.
};

// Where a process that must die leaves what it knows. Called at most once, possibly in a signal handler; whatever it
// does, the process ends right after.
typedef void (*DeathSink)(const Crash &C);

// Installs what notices deaths (signals on a stack of their own, the sanitizer's callback, exit) and sends them to
// `Sink`. Call again to change the sink, as a forked child does.
void watchDeaths(DeathSink Sink);

// Starts the timer that enforces `L` on this process. A forked child needs its own.
void enforce(const Limits &L);

// Whether the runtime that catches panics is linked in (see runtime.rs); switches it on.
bool catchPanics(bool CaughtCount);

// Runs the target once. False for a bad end, which is then in `lastCrash`.
bool execute(const uint8_t *Data, size_t Size);

// How the last execution ended, how long it took, and the details if it ended badly.
Kind lastKind();
uint64_t lastNanos();
const Crash &lastCrash();

// What is done around every execution, for modes that don't use `execute` because libFuzzer calls the target.
// `Frame` is the caller's: stacks end there.
void beginExecution(const void *Frame);
// Turns the target's return value and what was noted meanwhile into an end.
Kind endExecution(int Returned);

uint64_t nowNanos();

// Lets the kernel refuse this process more than `Mb` of memory of its own; 0, or a sanitizer, for no limit.
void limitMemory(uint64_t Mb);
// A little beyond the limit until the end of the execution, for the panic about the limit.
void allowMoreMemory();
// Tells the timer and the exit handler whether the target is running; afterwards the memory limit is what it was.
// Fuzzing has libFuzzer's handlers instead, and no time to lose.
void setExecuting(bool Is);
// When the running execution began, for the timer.
void setStarted(uint64_t Nanos);
// A stack for signal handlers, so that one can run when the thread's own is used up.
void useAlternateStack();
// Installs `Handler`, to run on that stack, unless a sanitizer already handles the signal.
void handleOnAlternateStack(int Signal, void (*Handler)(int, siginfo_t *, void *));
// Megabytes of memory that this process holds now; usable in a signal handler.
uint64_t residentMb();

} // namespace shakedown

#endif
