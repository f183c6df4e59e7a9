// Panics, as told by the runtime that takes the place of libfuzzer-sys's hook (runtime.rs).
//
// A panic is noted when it starts and becomes an end only if it reaches the target's boundary, or another thread's end:
// one that the code under test catches itself is forgotten, unless caught panics were asked for.
#ifndef SHAKEDOWN_PANIC_H
#define SHAKEDOWN_PANIC_H

#include "crash.h"

namespace shakedown {

// Forgets the panics of the execution before; the calling thread is the one that runs the target.
void startPanics();

// The panic that ended the execution, into `Into`; Kind::Passed if none did.
Kind takePanic(Crash &Into);

// A panic that cannot unwind is on its way to abort(): the panic is then the reason, and not the signal.
bool isPanicAborting(Crash &Into);

// How many panics may still be said on standard error; none at first.
void printPanics(unsigned Most);

// Whether a mutex or the like said that an earlier panic poisoned it, in the panic in `C`.
bool isPoison(const Crash &C);

} // namespace shakedown

#endif
