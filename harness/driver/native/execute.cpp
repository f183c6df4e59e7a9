#include "execute.h"
#include "panic.h"
#include "stack.h"

#include "FuzzerTracePC.h"

#include <string.h>
#include <time.h>

namespace shakedown {

static Crash Last;
static Kind LastKind;
static uint64_t LastNanos;

Kind lastKind() { return LastKind; }
uint64_t lastNanos() { return LastNanos; }
const Crash &lastCrash() { return Last; }

uint64_t nowNanos() {
  timespec T;
  clock_gettime(CLOCK_MONOTONIC, &T);
  return static_cast<uint64_t>(T.tv_sec) * 1000000000u + static_cast<uint64_t>(T.tv_nsec);
}

void beginExecution(const void *Frame) {
  markBoundary(Frame);
  startPanics();
}

Kind endExecution(int Returned) {
  Kind Ended = takePanic(Last);
  if (Ended == Kind::Passed && Returned == -1)
    Ended = Kind::Rejected;
  return LastKind = Ended;
}

// Between the counters' reset and their collection lies only the target, as in libFuzzer's own ExecuteCallback.
__attribute__((noinline)) static int call(const uint8_t *Data, size_t Size) {
  fuzzer::TPC.RecordInitialStack();
  fuzzer::TPC.ResetMaps();
  uint64_t Started = nowNanos();
  int Returned = LLVMFuzzerTestOneInput(Data, Size);
  LastNanos = nowNanos() - Started;
  return Returned;
}

bool execute(const uint8_t *Data, size_t Size) {
  // A copy of exactly this size, so that a sanitizer sees the first byte read beyond it.
  uint8_t *Copy = new uint8_t[Size];
  if (Size)
    memcpy(Copy, Data, Size);
  setStarted(nowNanos()); // First: the timer may look at any moment from here on.
  setExecuting(true);
  beginExecution(__builtin_frame_address(0));
  int Returned = call(Copy, Size);
  setExecuting(false);
  endExecution(Returned);
  if (!isBad(LastKind) && Size && memcmp(Copy, Data, Size)) {
    LastKind = Kind::OverwritesInput;
    memset(&Last, 0, sizeof(Last));
    Last.What = LastKind;
    Last.nameSite();
  }
  delete[] Copy;
  return !isBad(LastKind);
}

} // namespace shakedown
