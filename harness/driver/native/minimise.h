// The smallest input that still ends at the same fault site.
#ifndef SHAKEDOWN_MINIMISE_H
#define SHAKEDOWN_MINIMISE_H

#include "serve.h"

#include <vector>

namespace shakedown {

struct MinimiseLimits {
  uint32_t Executions = 0;
  uint32_t TimeMs = 0;
};

enum class MinimiseEnd : uint8_t {
  Smallest = 0,   // No single byte can be left out.
  OutOfLimit = 1, // The smallest that was found in time.
  NoCrash = 2,    // The input that was given ends well.
};

struct Minimised {
  MinimiseEnd Why = MinimiseEnd::NoCrash;
  uint32_t Executions = 0;
  uint64_t Nanos = 0;
  uint64_t Site = 0;
  std::vector<uint8_t> Smallest;
};

Minimised minimise(Place Where, std::vector<uint8_t> Input, const Limits &Each, const MinimiseLimits &Most);

} // namespace shakedown

#endif
