#include "notes.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

namespace shakedown {

static const char *Folder;

// Enough that one can be checked against another; each costs one file.
static const unsigned InputsPerSite = 3;

struct Site {
  uint64_t Name;
  uint32_t Kept;
};

// Open addressing; a target with more sites than this goes on without new ones being noted.
static const size_t MaxSites = 4096;
static Site Sites[MaxSites];
static size_t SiteCount;

static Site *find(uint64_t Name) {
  for (size_t I = 0; I < MaxSites; I++) {
    Site &S = Sites[(Name + I) % MaxSites];
    if (S.Name == Name)
      return &S;
    if (!S.Name && SiteCount < MaxSites / 2) {
      SiteCount++;
      S.Name = Name;
      return &S;
    }
    if (!S.Name)
      return nullptr;
  }
  return nullptr;
}

static bool writeAll(int File, const void *Data, size_t Size) {
  for (const char *At = static_cast<const char *>(Data); Size;) {
    ssize_t N = write(File, At, Size);
    if (N < 0 && errno == EINTR)
      continue;
    if (N <= 0)
      return false;
    At += N;
    Size -= static_cast<size_t>(N);
  }
  return true;
}

static bool write(const char *Path, const Crash &C, const uint8_t *Data, size_t Size) {
  static uint8_t Buffer[MaxCrashBytes];
  Writer W(Buffer, sizeof(Buffer));
  W.bytes("SHKDNOTE", 8);
  W.u32(ProtocolVersion);
  W.u8(static_cast<uint8_t>(C.What));
  writeCrash(W, C);
  W.u32(static_cast<uint32_t>(Size));
  int File = open(Path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  bool Good = File >= 0 && writeAll(File, Buffer, W.size()) && writeAll(File, Data, Size);
  if (File >= 0)
    Good = !close(File) && Good;
  return Good;
}

void openNotes(const char *Where) { Folder = Where; }

bool note(const Crash &C, const uint8_t *Data, size_t Size) {
  Site *S = find(C.Site);
  if (!S || S->Kept >= InputsPerSite)
    return false;
  bool IsNew = !S->Kept;
  char Partial[4096], Final[4096];
  snprintf(Partial, sizeof(Partial), "%s/.%d.partial", Folder, getpid());
  // Linking fails where another process already has that name; its input is as good as ours.
  snprintf(Final, sizeof(Final), "%s/%016lx-%u.note", Folder, static_cast<unsigned long>(C.Site), S->Kept++);
  if (access(Final, F_OK) && write(Partial, C, Data, Size) && link(Partial, Final) && errno != EEXIST)
    fprintf(stderr, "shakedown driver: failed to write `%s`: %s\n", Final, strerror(errno));
  unlink(Partial);
  return IsNew;
}

} // namespace shakedown
