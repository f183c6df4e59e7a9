// An execution in a fresh copy of this process.
#ifndef SHAKEDOWN_FORK_H
#define SHAKEDOWN_FORK_H

#include "serve.h"

namespace shakedown {

// `Hidden` is closed in every child: a target must not write into the protocol.
void prepareForks(int Hidden);

Ending runInFork(const uint8_t *Data, size_t Size, const Limits &L);

} // namespace shakedown

#endif
