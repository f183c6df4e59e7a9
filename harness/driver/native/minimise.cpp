#include "minimise.h"

namespace shakedown {

namespace {

class Minimiser {
public:
  Minimiser(Place Where, const Limits &Each, const MinimiseLimits &Most)
      : Where(Where), Each(Each), Most(Most), Started(nowNanos()), Told(Started) {}

  Minimised run(std::vector<uint8_t> Input) {
    Best.Smallest = std::move(Input);
    Ending First = execute(Best.Smallest);
    if (!First.Crashed)
      return done(MinimiseEnd::NoCrash);
    Best.Site = First.Crashed->Site;
    shorten();
    size_t Before;
    do {
      Before = Best.Smallest.size();
      for (size_t Size = Best.Smallest.size() / 2; Size && !isOver(); Size /= 2)
        leaveOut(Size);
    } while (Best.Smallest.size() < Before && !isOver());
    return done(isOver() ? MinimiseEnd::OutOfLimit : MinimiseEnd::Smallest);
  }

private:
  // What follows the fault is often not even read: cut it off by halves first.
  void shorten() {
    for (size_t Cut = Best.Smallest.size() / 2; Cut && !isOver();) {
      std::vector<uint8_t> Candidate(Best.Smallest.begin(), Best.Smallest.end() - static_cast<long>(Cut));
      if (!keep(Candidate))
        Cut /= 2;
      else if (Cut > Best.Smallest.size() / 2)
        Cut = Best.Smallest.size() / 2;
    }
  }

  // Tries to leave out each run of `Size` bytes, from the end: earlier bytes more often say how later ones are read.
  void leaveOut(size_t Size) {
    for (size_t End = Best.Smallest.size(); End >= Size && !isOver();) {
      size_t Start = End - Size;
      std::vector<uint8_t> Candidate(Best.Smallest);
      auto From = Candidate.begin() + static_cast<long>(Start);
      Candidate.erase(From, From + static_cast<long>(Size));
      keep(Candidate);
      End = Start < Best.Smallest.size() ? Start : Best.Smallest.size();
    }
  }

  bool keep(std::vector<uint8_t> &Candidate) {
    Ending E = execute(Candidate);
    if (!E.Crashed || E.Crashed->Site != Best.Site)
      return false;
    Best.Smallest.swap(Candidate);
    if (nowNanos() - Told > 100000000) {
      Told = nowNanos();
      sendProgress(Best.Executions, Best.Smallest);
    }
    return true;
  }

  Ending execute(const std::vector<uint8_t> &Input) {
    Best.Executions++;
    return runInput(Where, Input.data(), Input.size(), Each, Listing::None);
  }

  bool isOver() const {
    return Best.Executions >= Most.Executions || nowNanos() - Started > Most.TimeMs * uint64_t(1000000);
  }

  Minimised done(MinimiseEnd Why) {
    Best.Why = Why;
    Best.Nanos = nowNanos() - Started;
    return std::move(Best);
  }

  Place Where;
  Limits Each;
  MinimiseLimits Most;
  uint64_t Started, Told;
  Minimised Best;
};

} // namespace

Minimised minimise(Place Where, std::vector<uint8_t> Input, const Limits &Each, const MinimiseLimits &Most) {
  return Minimiser(Where, Each, Most).run(std::move(Input));
}

} // namespace shakedown
