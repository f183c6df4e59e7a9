#include "stack.h"

#include <link.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

namespace shakedown {

static Module Modules[MaxModules];
static size_t ModuleCount;

static void extent(const dl_phdr_info *Info, Module &M) {
  M.Base = Info->dlpi_addr;
  M.Start = UINT64_MAX;
  M.End = 0;
  for (int I = 0; I < Info->dlpi_phnum; I++) {
    if (Info->dlpi_phdr[I].p_type != PT_LOAD)
      continue;
    uint64_t Start = Info->dlpi_addr + Info->dlpi_phdr[I].p_vaddr;
    uint64_t End = Start + Info->dlpi_phdr[I].p_memsz;
    M.Start = Start < M.Start ? Start : M.Start;
    M.End = End > M.End ? End : M.End;
  }
}

static int addModule(dl_phdr_info *Info, size_t, void *) {
  if (ModuleCount == MaxModules)
    return 1;
  Module &M = Modules[ModuleCount];
  extent(Info, M);
  // The program itself comes first and without a name.
  ssize_t N = ModuleCount == 0 ? readlink("/proc/self/exe", M.Path, MaxPath - 1) : -1;
  if (N >= 0)
    M.Path[N] = 0;
  else
    strncpy(M.Path, Info->dlpi_name, MaxPath - 1);
  ModuleCount++;
  return 0;
}

static Frame place(uint64_t Address) {
  for (size_t I = 0; I < ModuleCount; I++)
    if (Address >= Modules[I].Start && Address < Modules[I].End)
      return {static_cast<uint16_t>(I), Address - Modules[I].Base};
  return {NoModule, Address};
}

static thread_local uint64_t Boundary = UINT64_MAX;

void markBoundary(const void *Frame) { Boundary = reinterpret_cast<uint64_t>(Frame); }

struct Walk {
  Crash *Into;
  size_t Skip;
  bool IsOnThreadsStack; // A handler's own stack lies anywhere, and comes before the thread's.
};

static _Unwind_Reason_Code step(_Unwind_Context *Context, void *Arg) {
  auto *W = static_cast<Walk *>(Arg);
  if (W->Skip) {
    W->Skip--;
    return _URC_NO_REASON;
  }
  int BeforeInstruction = 0;
  uint64_t Address = _Unwind_GetIPInfo(Context, &BeforeInstruction);
  W->IsOnThreadsStack = W->IsOnThreadsStack || BeforeInstruction;
  if (W->IsOnThreadsStack && _Unwind_GetCFA(Context) > Boundary)
    return _URC_END_OF_STACK;
  if (!Address || W->Into->FrameCount == MaxFrames)
    return _URC_END_OF_STACK;
  // A return address belongs to the instruction after the call; the call is what people want to see.
  W->Into->Frames[W->Into->FrameCount++] = place(BeforeInstruction ? Address : Address - 1);
  return _URC_NO_REASON;
}

__attribute__((noinline)) void captureStack(Crash &Into, size_t Skip, Caller From) {
  Into.FrameCount = 0;
  Walk W = {&Into, Skip + 1, From == Caller::Code};
  _Unwind_Backtrace(step, &W);
}

void prepareStacks() {
  ModuleCount = 0;
  dl_iterate_phdr(addModule, nullptr);
  static Crash Unused; // The first walk allocates and takes locks, which a signal handler must not.
  captureStack(Unused, 0, Caller::Code);
}

const Module *moduleAt(uint16_t Index) { return Index < ModuleCount ? &Modules[Index] : nullptr; }

} // namespace shakedown
