#include "state.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

namespace shakedown {

static void *map(const char *Path) {
  int File = Path ? open(Path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
  if (File < 0 || ftruncate(File, sizeof(State)))
    return MAP_FAILED;
  void *Map = mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED, File, 0);
  close(File);
  return Map;
}

State *openState(const char *Path) {
  void *Map = map(Path);
  if (Map == MAP_FAILED) {
    if (Path)
      fprintf(stderr, "shakedown driver: failed to map `%s`: %s\n", Path, strerror(errno));
    static State Unseen;
    Map = &Unseen;
  }
  auto *S = static_cast<State *>(Map);
  memcpy(S->Magic, "SHKDSTAT", 8);
  S->Version = ProtocolVersion;
  S->Pid = static_cast<uint32_t>(getpid());
  S->Sites = 0;
  S->IsRunning = 0;
  return S;
}

} // namespace shakedown
