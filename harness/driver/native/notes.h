// The panics that a fuzzing process went on after: how often each site was seen, and its first inputs in files.
#ifndef SHAKEDOWN_NOTES_H
#define SHAKEDOWN_NOTES_H

#include "crash.h"

namespace shakedown {

void openNotes(const char *Folder);

// Counts the panic; true if its site is new to this process. The first inputs of a site are written, each to a file
// of its own that appears complete or not at all, and is never replaced: several processes share a folder.
bool note(const Crash &C, const uint8_t *Data, size_t Size);

} // namespace shakedown

#endif
