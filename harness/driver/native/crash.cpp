#include "crash.h"

#include <string.h>

namespace shakedown {

static size_t fill(char *To, size_t Room, const char *Text, size_t Size) {
  size_t N = Size < Room ? Size : Room;
  memcpy(To, Text, N);
  return N;
}

void Crash::setMessage(const char *Text, size_t Size) {
  MessageSize = static_cast<uint32_t>(fill(Message, MaxMessage, Text, Size));
}

void Crash::setFile(const char *Text, size_t Size) {
  FileSize = static_cast<uint32_t>(fill(File, MaxFile, Text, Size));
}

// FNV-1a: small, has no state to initialise, and collisions among the few sites of one target are no concern.
struct Hash {
  uint64_t Value = 0xcbf29ce484222325;
  void add(const void *Bytes, size_t Size) {
    for (size_t I = 0; I < Size; I++)
      Value = (Value ^ static_cast<const uint8_t *>(Bytes)[I]) * 0x100000001b3;
  }
};

static bool startsWith(const char *Text, size_t Size, const char *Part) {
  for (; *Part; Text++, Size--, Part++)
    if (!Size || *Text != *Part)
      return false;
  return true;
}

bool contains(const char *Text, size_t Size, const char *Part) {
  for (; Size; Text++, Size--)
    if (startsWith(Text, Size, Part))
      return true;
  return false;
}

bool equals(const char *Text, size_t Size, const char *Other) {
  return startsWith(Text, Size, Other) && !Other[Size];
}

// Panics of std reach the user's code by #[track_caller]; a location inside of std says nothing about who called.
static bool isOfStd(const char *File, size_t Size) {
  static const char *const Marks[] = {"/rustc/", "library/core/", "library/std/", "library/alloc/"};
  for (const char *Mark : Marks)
    if (contains(File, Size, Mark))
      return true;
  return false;
}

// How many innermost frames name a site. A panic that std located for itself has about ten frames of panic machinery
// first; a fault has none.
static size_t siteFrames(Kind What) {
  return What == Kind::Panic || What == Kind::ThreadPanic || What == Kind::CaughtPanic ||
                 What == Kind::AllocationFailure
             ? 16
             : 4;
}

void Crash::nameSite() {
  Hash H;
  H.add(&What, sizeof(What));
  bool Located = FileSize && !isOfStd(File, FileSize);
  if (Located) {
    H.add(File, FileSize);
    H.add(&Line, sizeof(Line));
    H.add(&Column, sizeof(Column));
  } else if (What != Kind::StackOverflow) { // Where a recursion hits the end of the stack is chance.
    H.add(&Signal, sizeof(Signal));
    size_t N = FrameCount < siteFrames(What) ? FrameCount : siteFrames(What);
    for (size_t I = 0; I < N; I++) {
      H.add(&Frames[I].Module, sizeof(Frames[I].Module));
      H.add(&Frames[I].Offset, sizeof(Frames[I].Offset));
    }
  }
  Site = H.Value;
}

} // namespace shakedown
