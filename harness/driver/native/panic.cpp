#include "panic.h"
#include "execute.h"
#include "stack.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

// Only there if libfuzzer-sys was built with our runtime.
extern "C" __attribute__((weak)) void shakedown_install_runtime();

namespace shakedown {

static bool Catching, CaughtCount;
static unsigned PrintsLeft; // Panics still to be said on standard error.
static pthread_t Owner; // The thread that runs the target.

// Of the running execution.
static Crash Noted, Previous, Caught, OfThread;
static bool IsNoted, IsPrevious, IsCaught, IsOfThread, IsBoundary, IsAborting;
static size_t AllocationFailed; // Its size, until the panic about it is noted.
static pthread_mutex_t ThreadLock = PTHREAD_MUTEX_INITIALIZER;

bool catchPanics(bool Count) {
  if (!shakedown_install_runtime)
    return false;
  CaughtCount = Count;
  Catching = true;
  shakedown_install_runtime();
  return true;
}

void startPanics() {
  Owner = pthread_self();
  IsNoted = IsPrevious = IsCaught = IsOfThread = IsBoundary = IsAborting = false;
}

static Kind take(Crash &Into, const Crash &From, Kind What) {
  Into = From;
  if (Into.What != Kind::AllocationFailure)
    Into.What = What;
  Into.nameSite();
  return Into.What;
}

Kind takePanic(Crash &Into) {
  if (IsBoundary && IsNoted)
    return take(Into, Noted, Kind::Panic);
  if (IsOfThread)
    return take(Into, OfThread, Kind::ThreadPanic);
  if (IsBoundary) { // resume_unwind with a payload of the target's own: no hook ran.
    memset(&Into, 0, sizeof(Into));
    return take(Into, Into, Kind::Panic);
  }
  if (CaughtCount && IsNoted)
    return take(Into, IsCaught ? Caught : Noted, Kind::CaughtPanic);
  return Kind::Passed;
}

bool isPanicAborting(Crash &Into) {
  if (!IsAborting)
    return false;
  int32_t Signal = Into.Signal;
  take(Into, Noted, Kind::Panic);
  Into.Signal = Signal;
  return true;
}

bool isPoison(const Crash &C) { return contains(C.Message, C.MessageSize, "PoisonError"); }

static bool says(const Crash &C, const char *Text) {
  return equals(C.Message, C.MessageSize, Text);
}

// std's own last words about a panic that could not unwind: the panic before is the reason.
static bool isLastWords(const Crash &C) {
  return says(C, "panic in a function that cannot unwind") || says(C, "panic in a destructor during cleanup");
}

void printPanics(unsigned Most) { PrintsLeft = Most; }

// In the form that std has, so that a reader of logs needs to know one.
static void print(const Crash &C) {
  if (!PrintsLeft)
    return;
  PrintsLeft--;
  dprintf(2, "\nthread '<unnamed>' panicked at %.*s:%u:%u:\n%.*s\n", static_cast<int>(C.FileSize), C.File, C.Line, C.Column,
          static_cast<int>(C.MessageSize), C.Message);
}

static void noteOwn(const Crash &C, bool CanUnwind) {
  if (CanUnwind) {
    if (IsNoted && !IsCaught) {
      Caught = Noted; // Not at the boundary yet and here is another: the target caught it, or it is unwinding.
      IsCaught = true;
    }
    Previous = Noted;
    IsPrevious = IsNoted;
    Noted = C;
    IsNoted = true;
    return;
  }
  // A panic in a destructor while another unwinds: the first one is where it began, as in a fresh process.
  if (says(C, "panic in a destructor during cleanup") && IsPrevious)
    Noted = Previous;
  else if (!isLastWords(C) || !IsNoted)
    Noted = C;
  IsNoted = IsAborting = true;
}

static void describe(Crash &C, const char *Text, size_t TextSize, const char *File, size_t FileSize, uint32_t Line,
                     uint32_t Column) {
  memset(&C, 0, offsetof(Crash, Message));
  C.What = Kind::Panic;
  C.setMessage(Text, TextSize);
  C.setFile(File, FileSize);
  C.Line = Line;
  C.Column = Column;
  if (AllocationFailed) { // The location is our own hook's.
    char Said[80];
    int N = snprintf(Said, sizeof(Said), "memory allocation of %zu bytes failed", AllocationFailed);
    C.What = Kind::AllocationFailure;
    C.setMessage(Said, static_cast<size_t>(N));
    C.FileSize = C.Line = C.Column = 0;
    AllocationFailed = 0;
  }
}

} // namespace shakedown

using namespace shakedown;

// A panic starts. Answers whether it may unwind quietly; if not, the hook that was there before speaks and aborts.
extern "C" bool shakedown_note_panic(const char *Text, size_t TextSize, const char *File, size_t FileSize,
                                     uint32_t Line, uint32_t Column, bool CanUnwind) {
  if (!Catching)
    return false;
  static thread_local Crash C;
  describe(C, Text, TextSize, File, FileSize, Line, Column);
  captureStack(C, 1, Caller::Code);
  print(C);
  if (pthread_equal(pthread_self(), Owner)) {
    noteOwn(C, CanUnwind);
    return true;
  }
  pthread_mutex_lock(&ThreadLock);
  if (!IsOfThread)
    OfThread = C;
  IsOfThread = true;
  if (!CanUnwind) { // The process is about to end by abort() in this thread.
    Noted = OfThread;
    IsNoted = IsAborting = true;
  }
  pthread_mutex_unlock(&ThreadLock);
  return true;
}

// A panic arrived at the target's boundary. The answer is what the target is said to have returned.
extern "C" int shakedown_panic_arrived() {
  IsBoundary = true;
  return 0;
}

// An allocation failed and a panic about it follows, which itself needs a little memory.
extern "C" bool shakedown_allocation_failed(size_t Size) {
  if (!Catching)
    return false;
  AllocationFailed = Size ? Size : 1;
  allowMoreMemory();
  return true;
}
