#include "wire.h"

#include "stack.h"

namespace shakedown {

static uint32_t atMost(uint32_t Claimed, size_t Room) {
  return Claimed < Room ? Claimed : static_cast<uint32_t>(Room);
}

void writeCrash(Writer &To, const Crash &C) {
  To.u32(static_cast<uint32_t>(C.Signal));
  To.u32(static_cast<uint32_t>(C.ExitCode));
  To.u64(C.Address);
  To.u64(C.Site);
  To.u32(C.Line);
  To.u32(C.Column);
  // The counts may come out of memory that the target could write to.
  To.blob(C.Message, atMost(C.MessageSize, MaxMessage));
  To.blob(C.File, atMost(C.FileSize, MaxFile));
  bool Used[MaxModules] = {};
  uint32_t N = atMost(C.FrameCount, MaxFrames), Modules = 0;
  for (uint32_t I = 0; I < N; I++)
    if (moduleAt(C.Frames[I].Module) && !Used[C.Frames[I].Module]) {
      Used[C.Frames[I].Module] = true;
      Modules++;
    }
  To.u32(Modules);
  for (uint16_t I = 0; I < MaxModules; I++)
    if (Used[I]) {
      To.u16(I);
      To.blob(moduleAt(I)->Path, strnlen(moduleAt(I)->Path, MaxPath));
    }
  To.u32(N);
  for (uint32_t I = 0; I < N; I++) {
    To.u16(C.Frames[I].Module);
    To.u64(C.Frames[I].Offset);
  }
}

} // namespace shakedown
