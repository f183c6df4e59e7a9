// The serving modes: inputs come over a socket and are run in this process (replay, merge) or in a fork of it (triage);
// minimise.cpp builds on both. This process runs nothing of the target in fork mode but its initialisation.
#include "serve.h"
#include "execute.h"
#include "fork.h"
#include "minimise.h"
#include "stack.h"
#include "wire.h"

#include "FuzzerTracePC.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*Callback)());

namespace shakedown {

static int Socket = -1;
static uint32_t RunningId; // The request that is being worked on.

static bool writeAll(const uint8_t *Data, size_t Size) {
  while (Size) {
    ssize_t N = send(Socket, Data, Size, MSG_NOSIGNAL);
    if (N < 0 && errno == EINTR)
      continue;
    if (N <= 0)
      return false;
    Data += N;
    Size -= static_cast<size_t>(N);
  }
  return true;
}

static bool readAll(uint8_t *Data, size_t Size) {
  while (Size) {
    ssize_t N = recv(Socket, Data, Size, 0);
    if (N < 0 && errno == EINTR)
      continue;
    if (N <= 0)
      return false;
    Data += N;
    Size -= static_cast<size_t>(N);
  }
  return true;
}

// `Buffer` begins with room for the header.
static bool sendFrame(Message What, uint8_t *Buffer, size_t Payload) {
  Writer Header(Buffer, FrameHeader);
  Header.u32(static_cast<uint32_t>(Payload));
  Header.u8(static_cast<uint8_t>(What));
  return writeAll(Buffer, FrameHeader + Payload);
}

// Big enough for every answer but lists of features; static because a dying process can't allocate.
static uint8_t Buffer[FrameHeader + MaxCrashBytes];

static bool sendResult(const Ending &E) {
  Writer W(Buffer + FrameHeader, MaxCrashBytes);
  W.u32(RunningId);
  W.u8(static_cast<uint8_t>(E.What));
  W.u64(E.Nanos);
  W.u32(E.FeatureCount);
  W.u8(E.IsLast ? 2 : E.Crashed ? 1 : 0);
  if (E.Crashed) {
    writeCrash(W, *E.Crashed);
    W.blob(E.Log, E.LogSize);
    W.u64(E.LogDropped);
  }
  if (!E.ListedSize)
    return sendFrame(Message::Result, Buffer, W.size());
  std::vector<uint8_t> Long(Buffer, Buffer + FrameHeader + W.size());
  auto *Listed = reinterpret_cast<const uint8_t *>(E.Listed);
  Long.insert(Long.end(), Listed, Listed + E.ListedSize * sizeof(uint32_t));
  return sendFrame(Message::Result, Long.data(), Long.size() - FrameHeader);
}

// The target took this process with it: say how, the harness starts another.
static void sendDeath(const Crash &C) {
  Ending E;
  E.What = C.What;
  E.Crashed = &C;
  E.IsLast = true;
  sendResult(E);
}

bool sendProgress(uint32_t Executions, const std::vector<uint8_t> &Smallest) {
  std::vector<uint8_t> Frame(FrameHeader + 12 + Smallest.size());
  Writer W(Frame.data() + FrameHeader, Frame.size() - FrameHeader);
  W.u32(RunningId);
  W.u32(Executions);
  W.blob(Smallest.data(), Smallest.size());
  return sendFrame(Message::Progress, Frame.data(), W.size());
}

// Features of the execution just done, as libFuzzer counts them.
class Features {
public:
  void collect(Listing How, Ending &E) {
    Listed.clear();
    fuzzer::TPC.CollectFeatures([&](size_t Feature) {
      E.FeatureCount++;
      if (How == Listing::All || (How == Listing::New && isNew(Feature)))
        Listed.push_back(static_cast<uint32_t>(Feature));
    });
    E.Listed = Listed.data();
    E.ListedSize = Listed.size();
  }

private:
  bool isNew(size_t Feature) {
    if (Feature >= Seen.size())
      Seen.resize(Feature * 2 + 1024);
    bool New = !Seen[Feature];
    Seen[Feature] = true;
    return New;
  }
  std::vector<bool> Seen;
  std::vector<uint32_t> Listed;
};

static Ending runHere(const uint8_t *Data, size_t Size, Listing How) {
  static Features Collected;
  Ending E;
  if (!execute(Data, Size))
    E.Crashed = &lastCrash();
  E.What = lastKind();
  E.Nanos = lastNanos();
  if (How != Listing::None)
    Collected.collect(How, E);
  return E;
}

Ending runInput(Place Where, const uint8_t *Data, size_t Size, const Limits &L, Listing How) {
  if (Where == Place::Fork)
    return runInFork(Data, Size, L);
  static Limits Now;
  if (Now.TimeMs != L.TimeMs || Now.MemoryMb != L.MemoryMb) {
    enforce(Now = L);
    limitMemory(L.MemoryMb);
  }
  return runHere(Data, Size, How);
}

static bool answerRun(Reader &R) {
  Place Where = R.u8() == 0 ? Place::Here : Place::Fork;
  uint8_t How = R.u8();
  Limits L;
  L.TimeMs = R.u32();
  L.MemoryMb = R.u32();
  size_t Size;
  const uint8_t *Data = R.rest(&Size);
  if (R.isShort() || How > static_cast<uint8_t>(Listing::All))
    return false;
  return sendResult(runInput(Where, Data, Size, L, static_cast<Listing>(How)));
}

static bool answerMinimise(Reader &R) {
  Place Where = R.u8() == 0 ? Place::Here : Place::Fork;
  Limits L;
  L.TimeMs = R.u32();
  L.MemoryMb = R.u32();
  MinimiseLimits Most;
  Most.Executions = R.u32();
  Most.TimeMs = R.u32();
  size_t Size;
  const uint8_t *Data = R.rest(&Size);
  if (R.isShort())
    return false;
  Minimised M = minimise(Where, {Data, Data + Size}, L, Most);
  std::vector<uint8_t> Frame(FrameHeader + 32 + M.Smallest.size());
  Writer W(Frame.data() + FrameHeader, Frame.size() - FrameHeader);
  W.u32(RunningId);
  W.u8(static_cast<uint8_t>(M.Why));
  W.u32(M.Executions);
  W.u64(M.Nanos);
  W.u64(M.Site);
  W.blob(M.Smallest.data(), M.Smallest.size());
  return sendFrame(Message::Minimised, Frame.data(), W.size());
}

static bool answer(Message What, const std::vector<uint8_t> &Payload) {
  Reader R(Payload.data(), Payload.size());
  RunningId = R.u32();
  if (What == Message::Run)
    return answerRun(R);
  if (What == Message::Minimise)
    return answerMinimise(R);
  return false;
}

static bool hello(bool Catches) {
  Writer W(Buffer + FrameHeader, MaxCrashBytes);
  W.u32(ProtocolVersion);
  W.u32(static_cast<uint32_t>(getpid()));
  W.u8(Catches);
  W.u8(__sanitizer_set_death_callback != nullptr);
  return sendFrame(Message::Hello, Buffer, W.size());
}

static bool connectTo(const char *Path) {
  sockaddr_un Address = {};
  Address.sun_family = AF_UNIX;
  if (strlen(Path) >= sizeof(Address.sun_path))
    return false;
  strcpy(Address.sun_path, Path);
  Socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return Socket >= 0 && !connect(Socket, reinterpret_cast<sockaddr *>(&Address), sizeof(Address));
}

int serve(int argc, char **argv, const char *Path, bool CaughtCount) {
  if (!connectTo(Path)) {
    fprintf(stderr, "shakedown driver: failed to connect to `%s`: %s\n", Path, strerror(errno));
    return 1;
  }
  if (LLVMFuzzerInitialize)
    LLVMFuzzerInitialize(&argc, &argv);
  fuzzer::TPC.SetUseCounters(true);
  bool Catches = catchPanics(CaughtCount);
  prepareStacks();
  prepareForks(Socket);
  watchDeaths(sendDeath);
  std::vector<uint8_t> Payload;
  bool Alive = hello(Catches);
  while (Alive) {
    uint8_t Bytes[FrameHeader];
    if (!readAll(Bytes, sizeof(Bytes)))
      break;
    Reader Header(Bytes, sizeof(Bytes));
    uint32_t Size = Header.u32();
    auto What = static_cast<Message>(Header.u8());
    if (Size > MaxInput + 64)
      break;
    Payload.resize(Size);
    Alive = readAll(Payload.data(), Size) && answer(What, Payload);
  }
  // Past the target's exit handlers: they have nothing to say to us.
  _exit(0);
}

} // namespace shakedown
