#include "fork.h"
#include "panic.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
__attribute__((weak)) int __lsan_do_recoverable_leak_check();
__attribute__((weak)) int __sanitizer_install_malloc_and_free_hooks(void (*Malloc)(const volatile void *, size_t),
                                                                    void (*Free)(const volatile void *));
}

namespace shakedown {

// What a child leaves behind. It is the child's word: the exit status, which is the kernel's, goes before it.
struct Slot {
  bool IsDone;  // The execution came back.
  bool HasDied; // Crash is filled in.
  Kind What;
  uint64_t Nanos;
  Crash Left;
};

static Slot *Shared;
static int HiddenFd = -1;

void prepareForks(int Hidden) {
  HiddenFd = Hidden;
  signal(SIGCHLD, SIG_DFL); // Ignored by a target's initialisation, children would leave no status.
  void *Map = mmap(nullptr, sizeof(Slot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  Shared = Map == MAP_FAILED ? nullptr : static_cast<Slot *>(Map);
}

static void leave(const Crash &C) {
  Shared->Left = C;
  Shared->HasDied = true;
}

static long Allocated; // Of the running execution: allocations less frees.
static void onMalloc(const volatile void *, size_t) { __atomic_add_fetch(&Allocated, 1, __ATOMIC_RELAXED); }
static void onFree(const volatile void *) { __atomic_sub_fetch(&Allocated, 1, __ATOMIC_RELAXED); }

// The leak check stops the world; libFuzzer, too, asks only when something was not freed.
static bool leaks() { return Allocated > 0 && __lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check(); }

__attribute__((noreturn)) static void beChild(const uint8_t *Data, size_t Size, const Limits &L, int Log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0); // kill(0, …) of the target reaches only itself, and we can end all that it starts.
  dup2(Log, 1);
  dup2(Log, 2);
  close(HiddenFd);
  if (Log > 2)
    close(Log);
  watchDeaths(leave);
  printPanics(8);
  limitMemory(L.MemoryMb);
  enforce(L);
  if (__sanitizer_install_malloc_and_free_hooks)
    __sanitizer_install_malloc_and_free_hooks(onMalloc, onFree);
  Allocated = 0;
  bool Good = execute(Data, Size);
  enforce({});
  Shared->Nanos = lastNanos();
  Shared->What = lastKind();
  if (!Good)
    leave(lastCrash());
  else if (leaks())
    Shared->What = Kind::Leak;
  Shared->IsDone = true;
  _exit(0); // Without the exit handlers of the target.
}

// The first and the last half of what a child printed.
class Log {
public:
  void clear() { HeadSize = TailTotal = 0; }
  void take(const uint8_t *Data, size_t Size) {
    size_t N = Size < Half - HeadSize ? Size : Half - HeadSize;
    memcpy(Bytes + HeadSize, Data, N);
    HeadSize += N;
    for (; N < Size; N++)
      Ring[TailTotal++ % Half] = Data[N];
  }
  void show(Ending &E) {
    size_t N = TailTotal < Half ? TailTotal : Half;
    for (size_t I = 0; I < N; I++)
      Bytes[HeadSize + I] = Ring[(TailTotal - N + I) % Half];
    E.Log = Bytes;
    E.LogSize = HeadSize + N;
    E.LogDropped = TailTotal - N;
  }

private:
  static const size_t Half = MaxLog / 2;
  uint8_t Bytes[MaxLog], Ring[Half];
  size_t HeadSize = 0;
  uint64_t TailTotal = 0;
};

static Log Said;

// False when there is nothing more to read.
static bool drain(int From) {
  uint8_t Bytes[4096];
  ssize_t N = read(From, Bytes, sizeof(Bytes));
  if (N > 0)
    Said.take(Bytes, static_cast<size_t>(N));
  return N > 0 || (N < 0 && errno == EINTR);
}

// Waits for the child's end, reading what it prints, and kills it when it is late. The child stops itself first,
// with a stack to show; this is for one that doesn't come to it.
static int await(pid_t Child, int From, const Limits &L, bool *WasLate) {
  uint64_t Deadline = L.TimeMs ? nowNanos() + (L.TimeMs + 1000) * 1000000 : UINT64_MAX;
  // Wakes us the moment that the child ends; without it (Linux before 5.3) we look every few milliseconds.
  int End = static_cast<int>(syscall(SYS_pidfd_open, Child, 0));
  pollfd Events[] = {{From, POLLIN, 0}, {End, POLLIN, 0}}; // A negative descriptor is passed over.
  int Status = 0;
  for (;;) {
    siginfo_t Ended = {};
    int Failed = waitid(P_PID, static_cast<id_t>(Child), &Ended, WEXITED | WNOHANG | WNOWAIT);
    if ((!Failed && Ended.si_pid == Child) || (Failed && errno == ECHILD))
      break;
    if (nowNanos() > Deadline && !*WasLate) {
      *WasLate = true;
      kill(Child, SIGKILL);
    }
    poll(Events, 2, End < 0 ? 2 : 100);
    // Bounded, so that a flood of output cannot keep us from looking at the clock.
    for (int I = 0; Events[0].fd >= 0 && (Events[0].revents & (POLLIN | POLLHUP)) && I < 64; I++) {
      errno = 0;
      if (drain(From))
        continue;
      if (errno != EAGAIN)
        Events[0].fd = -1; // Closed.
      break;
    }
  }
  kill(-Child, SIGKILL); // Whatever it started. Not reaped yet, so the number is still its own.
  waitpid(Child, &Status, 0);
  if (End >= 0)
    close(End);
  return Status;
}

static void fromStatus(int Status, bool WasLate, Ending &E) {
  static Crash C;
  C = Shared->Left;
  if (!Shared->HasDied)
    memset(&C, 0, sizeof(C));
  E.Nanos = Shared->Nanos;
  E.What = Shared->What;
  bool IsClean = WIFEXITED(Status) && WEXITSTATUS(Status) == 0 && Shared->IsDone;
  if (IsClean && !isBad(E.What))
    return;
  E.Crashed = &C;
  C.ExitCode = WIFEXITED(Status) ? WEXITSTATUS(Status) : -1;
  if (WIFSIGNALED(Status))
    C.Signal = WTERMSIG(Status);
  if (WasLate)
    C.What = Kind::Timeout;
  else if (WIFSIGNALED(Status))
    C.What = Kind::Killed;
  else if (IsClean && !Shared->HasDied)
    C.What = E.What; // A leak, which has no stack of its own here.
  else if (!Shared->HasDied)
    C.What = Kind::Exit; // By _exit(), past every handler.
  // What is left is the child's own account of a death that the kernel confirms.
  if (static_cast<uint8_t>(C.What) > static_cast<uint8_t>(Kind::OverwritesInput) || !isBad(C.What))
    C.What = Kind::Killed;
  C.nameSite();
  E.What = C.What;
}

Ending runInFork(const uint8_t *Data, size_t Size, const Limits &L) {
  Ending E;
  int Pipe[2];
  E.What = Kind::Killed;
  static Crash Failed;
  Failed.What = Kind::Killed;
  E.Crashed = &Failed;
  if (!Shared || pipe2(Pipe, O_CLOEXEC | O_NONBLOCK))
    return E;
  fcntl(Pipe[1], F_SETFL, 0); // The child's end blocks, as it expects of its standard error.
  memset(Shared, 0, offsetof(Slot, Left));
  Said.clear();
  pid_t Child = fork();
  if (Child == 0)
    beChild(Data, Size, L, Pipe[1]);
  close(Pipe[1]);
  if (Child > 0) {
    bool WasLate = false;
    int Status = await(Child, Pipe[0], L, &WasLate);
    for (int I = 0; I < 64 && drain(Pipe[0]); I++) {
    }
    E.Crashed = nullptr;
    fromStatus(Status, WasLate, E);
    Said.show(E);
  }
  close(Pipe[0]);
  return E;
}

} // namespace shakedown
