// The program's entry: without our environment variables it is libFuzzer and nothing else.
#include "fuzz.h"
#include "serve.h"

#include "FuzzerDefs.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  using namespace shakedown;
  const char *Caught = getenv("SHAKEDOWN_CAUGHT");
  bool CaughtCount = Caught && !strcmp(Caught, "finding");
  if (const char *Path = getenv("SHAKEDOWN_SOCKET"))
    return serve(argc, argv, Path, CaughtCount);
  if (const char *Folder = getenv("SHAKEDOWN_NOTES"))
    return fuzz(argc, argv, Folder, CaughtCount);
  return fuzzer::FuzzerDriver(&argc, &argv, LLVMFuzzerTestOneInput);
}
