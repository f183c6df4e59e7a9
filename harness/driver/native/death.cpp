// How a process of ours notices that it is dying, and leaves word.
#include "execute.h"
#include "panic.h"
#include "stack.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

extern "C" {
// Of the sanitizer, where there is one.
__attribute__((weak)) void __sanitizer_set_death_callback(void (*Callback)());
__attribute__((weak)) int __asan_report_present();
__attribute__((weak)) void *__asan_get_report_address();
__attribute__((weak)) const char *__asan_get_report_description();
}

namespace shakedown {

static DeathSink Sink;
static bool Dying, Executing;
static uint64_t ExecutionStarted;
static Limits Enforced;
static pthread_t MainThread;

// Signals may come while the stack is used up; the handlers need room for an unwinder.
static const size_t AlternateStackSize = 256 << 10;

__attribute__((noreturn)) static void die(Crash &C, int ExitCode) {
  C.nameSite();
  if (Sink)
    Sink(C);
  _exit(ExitCode);
}

static uint64_t stackPointer(void *Context) {
#if defined(__x86_64__)
  return static_cast<uint64_t>(static_cast<ucontext_t *>(Context)->uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
  return static_cast<ucontext_t *>(Context)->uc_mcontext.sp;
#else
  return 0;
#endif
}

// A write just below the stack's end is a recursion that went too deep, not a stray pointer.
static bool isStackOverflow(uint64_t Address, void *Context) {
  uint64_t Pointer = stackPointer(Context);
  return Pointer && Address + 0xffff > Pointer && Address < Pointer + 0xffff;
}

static void onDeadlySignal(int Signal, siginfo_t *Info, void *Context) {
  static Crash C;
  if (__atomic_exchange_n(&Dying, true, __ATOMIC_SEQ_CST))
    _exit(128 + Signal); // A fault in this handler, or in two threads at once: the first one counts.
  C.Signal = Signal;
  C.Address = reinterpret_cast<uint64_t>(Info->si_addr);
  C.What = Signal == SIGABRT ? Kind::Abort : Kind::Signal;
  if (Signal == SIGSEGV && isStackOverflow(C.Address, Context))
    C.What = Kind::StackOverflow;
  if (Signal != SIGABRT || !isPanicAborting(C))
    captureStack(C, 2, Caller::SignalHandler); // This handler and the kernel's trampoline.
  die(C, 77);
}

static void onSanitizerDeath() {
  static Crash C;
  if (__atomic_exchange_n(&Dying, true, __ATOMIC_SEQ_CST))
    return;
  C.What = Kind::Sanitizer;
  if (__asan_report_present && __asan_report_present()) {
    const char *Text = __asan_get_report_description();
    C.setMessage(Text, strlen(Text));
    if (!strcmp(Text, "stack-overflow"))
      C.What = Kind::StackOverflow;
    C.Address = reinterpret_cast<uint64_t>(__asan_get_report_address());
  }
  captureStack(C, 1, Caller::SignalHandler); // It may well be.
  die(C, 77);
}

static void onExit() {
  if (!Executing || __atomic_exchange_n(&Dying, true, __ATOMIC_SEQ_CST))
    return;
  static Crash C;
  C.What = Kind::Exit;
  captureStack(C, 1, Caller::Code);
  die(C, 77);
}

uint64_t residentMb() {
  char Text[64];
  int File = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  ssize_t N = File < 0 ? -1 : read(File, Text, sizeof(Text) - 1);
  if (File >= 0)
    close(File);
  if (N <= 0)
    return 0;
  Text[N] = 0;
  const char *Resident = strchr(Text, ' ');
  return Resident ? strtoull(Resident, nullptr, 10) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) >> 20 : 0;
}

static void onTick(int, siginfo_t *, void *) {
  if (!pthread_equal(pthread_self(), MainThread)) {
    pthread_kill(MainThread, SIGALRM); // Its stack is the one to show.
    return;
  }
  static Crash C;
  if (!Executing)
    return;
  bool Late = Enforced.TimeMs && nowNanos() - ExecutionStarted > Enforced.TimeMs * 1000000;
  bool Fat = Enforced.MemoryMb && residentMb() > Enforced.MemoryMb;
  if ((!Late && !Fat) || __atomic_exchange_n(&Dying, true, __ATOMIC_SEQ_CST))
    return;
  C.What = Late ? Kind::Timeout : Kind::OutOfMemory;
  captureStack(C, 2, Caller::SignalHandler);
  die(C, Late ? 70 : 71);
}

void handleOnAlternateStack(int Signal, void (*Handler)(int, siginfo_t *, void *)) {
  struct sigaction Old = {}, New = {};
  sigaction(Signal, nullptr, &Old);
  // A sanitizer's handler knows more than ours and tells us by its death callback.
  bool Taken = (Old.sa_flags & SA_SIGINFO) ? Old.sa_sigaction != nullptr : Old.sa_handler != SIG_DFL;
  if (Taken)
    return;
  New.sa_sigaction = Handler;
  New.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigaction(Signal, &New, nullptr);
}

void useAlternateStack() {
  stack_t Old = {}, New = {};
  if (!sigaltstack(nullptr, &Old) && !(Old.ss_flags & SS_DISABLE))
    return; // A sanitizer's.
  New.ss_size = AlternateStackSize;
  New.ss_sp = mmap(nullptr, New.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (New.ss_sp != MAP_FAILED)
    sigaltstack(&New, nullptr);
}

void watchDeaths(DeathSink Where) {
  Sink = Where;
  static bool Watching;
  if (Watching)
    return;
  Watching = true;
  MainThread = pthread_self();
  useAlternateStack();
  static const int Deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP};
  for (int Signal : Deadly)
    handleOnAlternateStack(Signal, onDeadlySignal);
  handleOnAlternateStack(SIGALRM, onTick);
  if (__sanitizer_set_death_callback)
    __sanitizer_set_death_callback(onSanitizerDeath);
  atexit(onExit);
}

void enforce(const Limits &L) {
  Enforced = L;
  // Fine enough for a limit of a second; thousands of times longer than a usual execution.
  itimerval Tick = {{0, 20000}, {0, 20000}};
  if (!L.TimeMs && !L.MemoryMb)
    Tick = {};
  setitimer(ITIMER_REAL, &Tick, nullptr);
}

// Without a sanitizer the kernel refuses memory beyond the limit, which the allocator reports and the runtime turns
// into a panic. A sanitizer reserves terabytes and has limits of its own (see exec::driver).
static uint64_t MemoryLimitMb;
static bool MayExceedMemoryLimit;

void limitMemory(uint64_t Mb) {
  rlimit Limit;
  MemoryLimitMb = Mb;
  MayExceedMemoryLimit = false;
  if (!Mb || __sanitizer_set_death_callback || getrlimit(RLIMIT_DATA, &Limit))
    return;
  Limit.rlim_cur = Mb << 20 < Limit.rlim_max ? Mb << 20 : Limit.rlim_max;
  setrlimit(RLIMIT_DATA, &Limit);
}

void allowMoreMemory() {
  rlimit Limit;
  if (getrlimit(RLIMIT_DATA, &Limit) || Limit.rlim_cur == RLIM_INFINITY)
    return;
  uint64_t More = (MemoryLimitMb << 20) + (16 << 20);
  MayExceedMemoryLimit = true;
  Limit.rlim_cur = More < Limit.rlim_max ? More : Limit.rlim_max;
  setrlimit(RLIMIT_DATA, &Limit);
}

void setExecuting(bool Is) {
  if (!Is && MayExceedMemoryLimit)
    limitMemory(MemoryLimitMb);
  Executing = Is;
}

void setStarted(uint64_t Nanos) { ExecutionStarted = Nanos; }

} // namespace shakedown
