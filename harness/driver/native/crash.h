// What is known of one execution's end. Fixed size and plain, so that a signal handler can fill it and a forked
// child can leave it in shared memory. It is a claim of the process that ran the target: readers bound everything.
#ifndef SHAKEDOWN_CRASH_H
#define SHAKEDOWN_CRASH_H

#include <stddef.h>
#include <stdint.h>

namespace shakedown {

// The numbers are the protocol's (docs/driver.md): append, never renumber.
enum class Kind : uint8_t {
  Passed = 0,
  Rejected = 1,
  Panic = 2,
  ThreadPanic = 3,
  CaughtPanic = 4,
  AllocationFailure = 5,
  Abort = 6,
  Signal = 7,
  StackOverflow = 8,
  Sanitizer = 9,
  Leak = 10,
  Timeout = 11,
  OutOfMemory = 12,
  Exit = 13,
  Killed = 14,
  OverwritesInput = 15,
};

// A bad end, as opposed to an input that was simply run.
inline bool isBad(Kind K) { return K != Kind::Passed && K != Kind::Rejected; }

// A place in the program as it lies on disk: symbolise `Offset` of module `Module` as it is, without subtracting one.
struct Frame {
  uint16_t Module; // Index into the module table, NoModule for an address outside of all.
  uint64_t Offset;
};
const uint16_t NoModule = 0xffff;

const size_t MaxFrames = 192;
const size_t MaxMessage = 2048;
const size_t MaxFile = 512;

struct Crash {
  Kind What;
  int32_t Signal;
  int32_t ExitCode;
  uint64_t Address;
  uint64_t Site; // Equal for equal fault sites of one binary; see site() below.
  uint32_t Line, Column;
  uint32_t MessageSize, FileSize, FrameCount;
  char Message[MaxMessage];
  char File[MaxFile];
  Frame Frames[MaxFrames];

  void setMessage(const char *Text, size_t Size);
  void setFile(const char *Text, size_t Size);
  // Names the fault site from what is filled in: a panic by its location in the code under test, everything else by
  // its kind and innermost frames. Raw and strict: two sites may be one defect, one site is rarely two.
  void nameSite();
};

// Whether `Part` occurs in, respectively is, the text. Not memmem and memcmp: libFuzzer listens to those while the target
// runs, and our words would end up in its dictionary.
bool contains(const char *Text, size_t Size, const char *Part);
bool equals(const char *Text, size_t Size, const char *Other);

} // namespace shakedown

#endif
