// The protocol's frames as bytes (docs/driver.md). Little endian, length first.
#ifndef SHAKEDOWN_WIRE_H
#define SHAKEDOWN_WIRE_H

#include "crash.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

namespace shakedown {

const uint32_t ProtocolVersion = 1;

enum class Message : uint8_t {
  // From the harness.
  Run = 1,
  Minimise = 2,
  // From the driver.
  Hello = 128,
  Result = 129,
  Progress = 130,
  Minimised = 131,
};

const size_t FrameHeader = 5; // u32 size of the payload, u8 message.
const size_t MaxInput = 64 << 20;
const size_t MaxLog = 64 << 10;
// A crash with all that it can carry: text, modules, frames, log.
const size_t MaxCrashBytes = 512 << 10;

// Appends to a buffer of fixed size and drops what doesn't fit; usable in a signal handler.
class Writer {
public:
  Writer(uint8_t *Buffer, size_t Room) : Start(Buffer), At(Buffer), End(Buffer + Room) {}
  void u8(uint8_t V) { bytes(&V, 1); }
  void u16(uint16_t V) { bytes(&V, sizeof(V)); }
  void u32(uint32_t V) { bytes(&V, sizeof(V)); }
  void u64(uint64_t V) { bytes(&V, sizeof(V)); }
  void blob(const void *Data, size_t Size) {
    u32(static_cast<uint32_t>(Size));
    bytes(Data, Size);
  }
  void bytes(const void *Data, size_t Size) {
    if (Size > static_cast<size_t>(End - At))
      return;
    if (Size) // Null is a fine address for nothing, but not for memcpy.
      memcpy(At, Data, Size);
    At += Size;
  }
  size_t size() const { return static_cast<size_t>(At - Start); }

private:
  uint8_t *Start, *At, *End;
};

// Reads what a Writer wrote; a short message reads as zeros and is marked.
class Reader {
public:
  Reader(const uint8_t *Data, size_t Size) : At(Data), End(Data + Size) {}
  uint8_t u8() { return number<uint8_t>(); }
  uint32_t u32() { return number<uint32_t>(); }
  const uint8_t *rest(size_t *Size) {
    *Size = static_cast<size_t>(End - At);
    return At;
  }
  bool isShort() const { return Short; }

private:
  template <class T> T number() {
    T Value = 0;
    if (static_cast<size_t>(End - At) < sizeof(T)) {
      Short = true;
      At = End;
    } else {
      memcpy(&Value, At, sizeof(T));
      At += sizeof(T);
    }
    return Value;
  }
  const uint8_t *At, *End;
  bool Short = false;
};

// A crash without its log: text, the modules that its stack names, the stack.
void writeCrash(Writer &To, const Crash &C);

} // namespace shakedown

#endif
