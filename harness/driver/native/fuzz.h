// libFuzzer, with panics caught and noted, and the current input where a death can't take it along.
#ifndef SHAKEDOWN_FUZZ_H
#define SHAKEDOWN_FUZZ_H

namespace shakedown {

// Fuzzes with libFuzzer's own flags. The first inputs of each panic site go to `Folder` (see notes.h).
int fuzz(int argc, char **argv, const char *Folder, bool CaughtCount);

} // namespace shakedown

#endif
