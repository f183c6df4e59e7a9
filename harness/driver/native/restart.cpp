#include "restart.h"
#include "execute.h"
#include "panic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include <sys/time.h>
#include <unistd.h>
#include <vector>

namespace shakedown {

// So many panics in a row, and nothing but panics, that the process rather than the inputs may be at fault. A target
// that panics on everything would restart for ever, so every restart doubles it.
static const uint64_t LongStreak = 512;
// Restarts cost a start and a reading of the corpus; a process does something else for at least this long.
static const uint64_t ShortestLife = 2000000000;

static const char *valueOf(const char *Flag, const char *Arg) {
  size_t N = strlen(Flag);
  return Arg[0] == '-' && !strncmp(Arg + 1, Flag, N) && Arg[N + 1] == '=' ? Arg + N + 2 : nullptr;
}

uint64_t memoryLimit(int argc, char **argv) {
  uint64_t Mb = 2048; // libFuzzer's default.
  for (int I = 1; I < argc; I++)
    if (const char *Value = valueOf("rss_limit_mb", argv[I]))
      Mb = strtoull(Value, nullptr, 10);
  return Mb;
}

Restart::Restart(int argc, char **argv, uint64_t Count) : Argc(argc), Argv(argv), Count(Count), Started(nowNanos()) {}

// Unwinding may have left memory behind, which libFuzzer would hold against an innocent input.
static bool isFat(uint64_t LimitMb) { return LimitMb && residentMb() > LimitMb / 2; }

bool Restart::panicked(const Crash &C) {
  Streak++;
  Panics++;
  bool IsLong = Streak >= LongStreak << (Count < 20 ? Count : 20);
  bool IsSpoilt = IsLong || isPoison(C) || (Panics % 1024 == 0 && isFat(memoryLimit(Argc, Argv)));
  return IsSpoilt && nowNanos() - Started > ShortestLife;
}

static std::string lessOf(const char *Flag, const char *Value, uint64_t Used) {
  uint64_t Given = strtoull(Value, nullptr, 10);
  return std::string("-") + Flag + "=" + std::to_string(Given > Used ? Given - Used : 1);
}

// A limit that means "no limit" stays, and so does a run without mutations.
static bool isLimit(const char *Value) { return Value[0] != '-' && strtoull(Value, nullptr, 10) > 0; }

void Restart::now(uint64_t Executions) {
  std::vector<std::string> Args;
  for (int I = 0; I < Argc; I++) {
    const char *Time = valueOf("max_total_time", Argv[I]), *Runs = valueOf("runs", Argv[I]);
    const char *Seed = valueOf("seed", Argv[I]);
    if (Time && isLimit(Time))
      Args.push_back(lessOf("max_total_time", Time, (nowNanos() - Started) / 1000000000));
    else if (Runs && isLimit(Runs))
      Args.push_back(lessOf("runs", Runs, Executions));
    else if (Seed && isLimit(Seed)) // The same seed would do the same again.
      Args.push_back("-seed=" + std::to_string((strtoull(Seed, nullptr, 10) + 1) & 0x7fffffff));
    else
      Args.push_back(Argv[I]);
  }
  std::vector<char *> Pointers;
  for (std::string &Arg : Args)
    Pointers.push_back(&Arg[0]);
  Pointers.push_back(nullptr);
  itimerval Never = {}; // A timer outlives execve, its handler doesn't.
  setitimer(ITIMER_REAL, &Never, nullptr);
  execv("/proc/self/exe", Pointers.data());
  perror("shakedown driver: failed to restart");
}

} // namespace shakedown
