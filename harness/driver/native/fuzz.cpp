#include "fuzz.h"
#include "execute.h"
#include "notes.h"
#include "panic.h"
#include "restart.h"
#include "stack.h"
#include "state.h"

#include "FuzzerInternal.h"
#include "FuzzerTracePC.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace shakedown {

static State *Shown;
static Restart *Again;
static bool IsCatching, IsRejecting, IsCaughtCount;
static uint64_t ExecutionsBefore; // Of earlier incarnations.

// On its own stack, as libFuzzer's handler isn't: a recursion that used the stack up would die in it, and the input
// with it. From here on it is libFuzzer's.
static void onStackOverflow(int, siginfo_t *, void *) { fuzzer::Fuzzer::StaticCrashSignalCallback(); }

// The first execution: the target's initialisation, which may set a panic hook of its own, is over.
static void begin() {
  IsCatching = catchPanics(IsCaughtCount);
  if (!IsCatching)
    fprintf(stderr, "shakedown driver: this target was built without our runtime: the first panic ends it\n");
  printPanics(0);
  prepareStacks();
  fuzzer::TPC.ResetMaps(); // What this counted is not the input's doing.
}

static void show(const uint8_t *Data, size_t Size) {
  memcpy(Shown->Current, Data, Size < MaxCurrent ? Size : MaxCurrent);
  Shown->CurrentSize = static_cast<uint32_t>(Size);
  Shown->Executions++;
  Shown->IsRunning = 1;
}

static void say(const Crash &C) {
  fprintf(stderr, "shakedown driver: new panic site %016lx at %.*s:%u:%u: %.*s\n",
          static_cast<unsigned long>(C.Site), static_cast<int>(C.FileSize), C.File, C.Line, C.Column,
          static_cast<int>(C.MessageSize < 200 ? C.MessageSize : 200), C.Message);
}

static int panicked(const uint8_t *Data, size_t Size) {
  const Crash &C = lastCrash();
  Shown->Panics++;
  if (C.What == Kind::AllocationFailure)
    setExecuting(false); // The panic about it was allowed a little more memory.
  // A poisoned lock is the echo of a panic that is already noted.
  if (!(Shown->Panics > 1 && isPoison(C)) && note(C, Data, Size)) {
    Shown->Sites++;
    say(C);
  }
  if (Again->panicked(C)) {
    Shown->Restarts++;
    Again->now(Shown->Executions - ExecutionsBefore);
  }
  return IsRejecting ? -1 : 0;
}

static int callback(const uint8_t *Data, size_t Size) {
  static bool HasBegun;
  if (!HasBegun) {
    HasBegun = true;
    begin();
  }
  show(Data, Size);
  beginExecution(__builtin_frame_address(0));
  int Returned = LLVMFuzzerTestOneInput(Data, Size);
  Kind Ended = endExecution(Returned);
  Shown->IsRunning = 0;
  if (isBad(Ended))
    return panicked(Data, Size);
  Again->passed();
  return Returned;
}

int fuzz(int argc, char **argv, const char *Folder, bool CaughtCount) {
  const char *Panicking = getenv("SHAKEDOWN_PANICKING");
  IsRejecting = Panicking && !strcmp(Panicking, "reject");
  IsCaughtCount = CaughtCount;
  openNotes(Folder);
  Shown = openState(getenv("SHAKEDOWN_STATE"));
  ExecutionsBefore = Shown->Executions;
  Again = new Restart(argc, argv, Shown->Restarts);
  limitMemory(memoryLimit(argc, argv));
  useAlternateStack();
  handleOnAlternateStack(SIGSEGV, onStackOverflow);
  return fuzzer::FuzzerDriver(&argc, &argv, callback);
}

} // namespace shakedown
