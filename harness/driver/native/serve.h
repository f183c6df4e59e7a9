// What serving is made of: an input, where it runs, and how that ended.
#ifndef SHAKEDOWN_SERVE_H
#define SHAKEDOWN_SERVE_H

#include "crash.h"
#include "execute.h"

#include <vector>

namespace shakedown {

enum class Place { Here, Fork };

// Which features of an execution are told: New are those that no earlier execution of this process had.
enum class Listing : uint8_t { None = 0, Count = 1, New = 2, All = 3 };

// Valid until the next execution.
struct Ending {
  Kind What = Kind::Passed;
  uint64_t Nanos = 0;
  uint32_t FeatureCount = 0;
  const Crash *Crashed = nullptr;
  bool IsLast = false; // The process dies with it.
  const uint8_t *Log = nullptr;
  size_t LogSize = 0;
  uint64_t LogDropped = 0;
  const uint32_t *Listed = nullptr;
  size_t ListedSize = 0;
};

Ending runInput(Place Where, const uint8_t *Data, size_t Size, const Limits &L, Listing How);

// Tells the harness the smallest input so far, in case that minimising doesn't come to its end.
bool sendProgress(uint32_t Executions, const std::vector<uint8_t> &Smallest);

// Works for the harness that listens at `Path` until it hangs up.
int serve(int argc, char **argv, const char *Path, bool CaughtCount);

} // namespace shakedown

#endif
