#!/usr/bin/env bash
# Measures the driver against cargo-fuzz 0.13.2, alternating the two, on the same machine and the same inputs.
#
#   bench/driver-compare.sh SUITE CRASHES WORK [build triage merge minimise executions throughput first-build]
#
# SUITE is a folder with a cargo-fuzz project in `fuzz/`, CRASHES has `index.jsonl` and `inputs/` (both are the
# project's shared data). WORK is written to and kept: builds are reused. SECONDS_EACH (30) is the length of one fuzz run,
# ROUNDS (5) and BUILD_ROUNDS (3) how often things alternate. Each line ends in the ratio that matters, with medians before it.
set -euo pipefail

if [ $# -lt 3 ]; then
  sed -n '2,9s/^# \{0,1\}//p' "$0"
  exit 2
fi
suite=$(realpath "$1") crashes=$(realpath "$2")
mkdir -p "$3"
work=$(realpath "$3")
shift 3
here=$(cd "$(dirname "$0")/.." && pwd)
host=$(rustc -vV | sed -n 's/^host: //p')
rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-30}
nightly=nightly-$host # AddressSanitizer needs it; without a sanitizer both sides use the default toolchain.
client=$here/target/release/examples/driver-client
[ -n "${CARGO_TARGET_DIR:-}" ] && client=$CARGO_TARGET_DIR/release/examples/driver-client
export PATH="$work/root/bin:$PATH" RUST_BACKTRACE=1

ours() { echo "$work/ours-$1/$host/release/$2"; }
theirs() { echo "$work/theirs-$1/$host/release/$2"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# Milliseconds that a command takes, whatever it answers.
time_ms() {
  local before
  before=$(now_ms)
  "$@" >"$work/last.log" 2>&1 || true
  echo $(($(now_ms) - before))
}
cpu_seconds() {
  local TIMEFORMAT=%U
  { time "$@" >/dev/null 2>&1; } 2>&1 || true
}
median() { sort -g | awk '{a[NR]=$1} END {print NR%2 ? a[(NR+1)/2] : (a[NR/2]+a[NR/2+1])/2}'; }
spread() { sort -g | awk '{a[NR]=$1} END {printf "%s..%s of %d", a[1], a[NR], NR}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (b > 0) printf "%.4g", a / b; else printf "-"}'; }
# The inputs of crashes of a target, at most N: a kind of its own per line of the index.
crashing() { # target count
  grep "\"target\": \"$1\"" "$crashes/index.jsonl" | sed 's/.*"input": "\([^"]*\)".*/\1/' | head -n "$2" |
    sed "s|^|$crashes/|"
}

# Cargo, as we build targets: our archive and runtime, cargo-fuzz's flags.
build_ours() { # sanitizer manifest-folder target-dir cargo-args..
  local sanitizer=$1 folder=$2 target=$3 package flags toolchain=
  shift 3
  package=$(cd "$folder" && cargo metadata --format-version 1 2>/dev/null |
    grep -o '"manifest_path":"[^"]*/libfuzzer-sys-[^"]*/Cargo.toml"' | head -1 | sed 's/.*:"//; s|/Cargo.toml"||')
  flags="--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1 -Cdebug-assertions
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
    -Cllvm-args=-sanitizer-coverage-stack-depth -Cllvm-args=-simplifycfg-branch-fold-threshold=0"
  if [ "$sanitizer" = asan ]; then flags+=" -Zsanitizer=address" toolchain=+$nightly; fi
  (cd "$folder" && env \
    CUSTOM_LIBFUZZER_PATH="$("$client" archive "$package/libfuzzer" "$work/archives")" \
    $("$client" runtime "$package/src/lib.rs" "$work/runtimes") \
    RUSTC_WRAPPER="$client" RUSTFLAGS="$(echo $flags)" CARGO_PROFILE_RELEASE_DEBUG=line-tables-only \
    cargo $toolchain build --release --target "$host" --target-dir "$target" "$@")
}

build() {
  (cd "$here" && cargo build --quiet --release -p shakedown-exec --example driver-client)
  [ -x "$work/root/bin/cargo-fuzz" ] || cargo install --quiet --locked --version 0.13.2 --root "$work/root" cargo-fuzz
  [ -d "$work/suite" ] || cp -r "$suite" "$work/suite"
  chmod -R u+w "$work/suite"
  build_ours asan "$work/suite/fuzz" "$work/ours-asan" --quiet --bins
  build_ours none "$work/suite/fuzz" "$work/ours-none" --quiet --bins
  (cd "$work/suite/fuzz" && cargo "+$nightly" fuzz build --target-dir "$work/theirs-asan" 2>/dev/null)
  (cd "$work/suite/fuzz" && cargo fuzz build -s none --target-dir "$work/theirs-none" 2>/dev/null)
}

cargo_fuzz() { (cd "$work/suite/fuzz" && cargo "+$nightly" fuzz "$@"); }

# One crash: `cargo fuzz run FILE`, and the fork server (whose start is said apart, and paid once).
triage() {
  local target file theirs ours start
  for target in image_bmp goblin_elf smallvec_ops url; do
    : >"$work/theirs" && : >"$work/ours" && : >"$work/start"
    for file in $(crashing "$target" "$rounds"); do
      time_ms cargo_fuzz run --target-dir "$work/theirs-asan" "$target" "$file" -- -timeout=5 >>"$work/theirs"
      "$client" triage "$(ours asan "$target")" "$file" "$file" "$file" >"$work/last.log"
      awk '/^start/ {print $2 > "'"$work/start.one"'"; next} NR > 2 {print $2}' "$work/last.log" >>"$work/ours"
      cat "$work/start.one" >>"$work/start"
    done
    theirs=$(median <"$work/theirs") ours=$(median <"$work/ours") start=$(median <"$work/start")
    echo "triage $target: cargo fuzz run $theirs ms ($(spread <"$work/theirs")), fork server $ours ms" \
      "($(spread <"$work/ours"); start $start ms): $(ratio "$theirs" "$ours") x"
  done
}

# 20,000 inputs: what a short run finds, and prefixes of it.
corpus() { # target
  local folder=$work/corpus-$1
  if [ ! -d "$folder" ]; then
    mkdir -p "$folder.found" "$folder"
    "$(theirs none "$1")" "$folder.found" -max_total_time=30 -seed=1 -artifact_prefix="$work/" >/dev/null 2>&1 || true
    python3 - "$folder.found" "$folder" <<'EOF'
import hashlib, os, sys
found, out = sys.argv[1:]
seeds = [open(os.path.join(found, name), "rb").read() for name in sorted(os.listdir(found))]
inputs, cut = {}, 0
while len(inputs) < 20000 and cut < 4000:
    for seed in seeds:
        part = seed if cut == 0 else seed[:-cut] or seed + bytes([cut % 256])
        inputs.setdefault(hashlib.sha1(part).hexdigest(), part)
    cut += 1
for name, part in list(inputs.items())[:20000]:
    open(os.path.join(out, name), "wb").write(part)
EOF
  fi
  echo "$folder"
}

merge() {
  local target folder round theirs ours one
  for target in comrak httparse; do
    folder=$(corpus "$target")
    : >"$work/theirs" && : >"$work/ours" && : >"$work/one"
    for round in 1 2 3; do
      rm -rf "$work/cmin" "$work/merged" && cp -r "$folder" "$work/cmin"
      time_ms cargo_fuzz cmin --target-dir "$work/theirs-asan" "$target" "$work/cmin" >>"$work/theirs"
      time_ms "$client" merge "$(ours asan "$target")" 2 "$folder" "$work/merged" >>"$work/ours"
      time_ms "$client" merge "$(ours asan "$target")" 1 "$folder" >>"$work/one"
    done
    theirs=$(median <"$work/theirs") ours=$(median <"$work/ours") one=$(median <"$work/one")
    echo "merge $target, $(ls "$folder" | wc -l) inputs: cargo fuzz cmin $theirs ms, $(ls "$work/cmin" | wc -l) kept;" \
      "driver $ours ms with 2 processes, $one ms with 1, $(ls "$work/merged" | wc -l) kept: $(ratio "$ours" "$theirs")"
    for folder in cmin merged; do
      "$(theirs asan "$target")" -runs=0 "$work/$folder" 2>&1 | grep INITED | sed "s/^/  $folder: /; s/ exec.*//"
    done
  done
}

# cargo fuzz tmin on a few (it takes seconds each), ours on 50; a result that fails elsewhere has drifted.
minimise() {
  local target file theirs ours before after drifted=0 tried=0
  : >"$work/theirs" && : >"$work/ours"
  for target in image_bmp url smallvec_ops goblin_elf dns; do
    for file in $(crashing "$target" 10); do
      "$client" minimise "$(ours asan "$target")" "$file" >>"$work/ours.log" || true
      tail -1 "$work/ours.log" >>"$work/ours"
    done
    for file in $(crashing "$target" 2); do
      rm -rf "$work/suite/fuzz/artifacts"
      time_ms cargo_fuzz tmin --target-dir "$work/theirs-asan" "$target" "$file" >>"$work/theirs"
      after=$(ls -t "$work/suite/fuzz/artifacts/$target"/minimized-from-* 2>/dev/null | head -1 || true)
      [ -n "$after" ] || continue
      tried=$((tried + 1))
      before=$("$client" triage "$(ours asan "$target")" "$file" | tail -1 | cut -f4)
      [ "$before" = "$("$client" triage "$(ours asan "$target")" "$after" | tail -1 | cut -f4)" ] || drifted=$((drifted + 1))
    done
  done
  theirs=$(median <"$work/theirs") ours=$(cut -f2 "$work/ours" | cut -d' ' -f1 | median)
  echo "minimise: cargo fuzz tmin $theirs ms ($(spread <"$work/theirs")), $drifted of $tried drifted;" \
    "driver $ours ms ($(cut -f2 "$work/ours" | cut -d' ' -f1 | spread))," \
    "$(grep -c DRIFTED "$work/ours" || true) drifted: $(ratio "$ours" "$theirs")"
}

# A loop that restarts `cargo fuzz run`, against one process that goes on. Both begin with nothing.
executions() {
  local target end theirs ours
  : >"$work/ratios"
  for target in ${TARGETS:-image_bmp image_ico image_webp goblin_elf goblin_mach goblin_pe dns url smallvec_ops zip ttf}; do
    rm -rf "$work/loop" "$work/on" && mkdir -p "$work/loop" "$work/on/corpus" "$work/on/notes"
    end=$(($(date +%s) + seconds)) && : >"$work/loop.log"
    while [ "$(date +%s)" -lt "$end" ]; do
      timeout "$((end - $(date +%s) + 1))" cargo "+$nightly" fuzz run --fuzz-dir "$work/suite/fuzz" \
        --target-dir "$work/theirs-asan" "$target" "$work/loop" -- -print_final_stats=1 \
        -max_total_time=$((end - $(date +%s))) >>"$work/loop.log" 2>&1 || true
    done
    theirs=$(awk '/stat::number_of_executed_units/ {n += $2} END {print n + 0}' "$work/loop.log")
    SHAKEDOWN_NOTES=$work/on/notes SHAKEDOWN_STATE=$work/on/state RUST_BACKTRACE=0 \
      timeout $((seconds + 5)) bash -c 'end=$(($(date +%s) + $1)); while [ $(date +%s) -lt $end ]; do
        "$2" "$3/corpus" -artifact_prefix="$3/" -max_total_time=$((end - $(date +%s))); done' \
      _ "$seconds" "$(ours none "$target")" "$work/on" >"$work/on.log" 2>&1 || true
    ours=$(od -An -t u8 -j 16 -N 8 "$work/on/state" | tr -d ' ')
    ratio "$ours" "$theirs" | tee -a "$work/ratios" >/dev/null && echo >>"$work/ratios"
    echo "executions $target, $seconds s: loop $theirs, driver $ours," \
      "$("$client" notes "$work/on/notes" | cut -f1 | sort -u | wc -l) sites noted: $(ratio "$ours" "$theirs") x"
  done
  echo "executions: median $(median <"$work/ratios") x, least $(sort -g "$work/ratios" | head -1) x"
}

# Processor time of the same number of runs from the same seed: cargo-fuzz's binary, and ours fuzzing on.
throughput() {
  local target round side seconds_a seconds_b
  for target in ${TARGETS:-httparse json comrak}; do
    : >"$work/ratios"
    for round in $(seq "$rounds"); do
      rm -rf "$work/a" "$work/b" "$work/notes" && mkdir -p "$work/a" "$work/b" "$work/notes"
      for side in $([ $((round % 2)) = 0 ] && echo a b || echo b a); do
        if [ "$side" = a ]; then
          seconds_a=$(cpu_seconds "$(theirs none "$target")" "$work/a" -runs="${RUNS:-1000000}" -seed="$round" -max_len=64)
        else
          seconds_b=$(cpu_seconds env SHAKEDOWN_NOTES="$work/notes" SHAKEDOWN_STATE="$work/state" \
            "$(ours none "$target")" "$work/b" -runs="${RUNS:-1000000}" -seed="$round" -max_len=64)
        fi
      done
      ratio "$seconds_a" "$seconds_b" >>"$work/ratios" && echo >>"$work/ratios"
    done
    echo "throughput $target: driver/plain libFuzzer, executions per CPU second: $(median <"$work/ratios") ($(spread <"$work/ratios"))"
  done
}

# A project that this machine has not seen, with nothing built.
first_build() {
  local round theirs ours
  rm -rf "$work/tiny" && mkdir -p "$work/tiny/fuzz_targets"
  printf '[package]\nname = "tiny-fuzz"\nversion = "0.0.0"\nedition = "2021"\n[package.metadata]\ncargo-fuzz = true\n[workspace]\n[dependencies]\nlibfuzzer-sys = "0.4"\n[[bin]]\nname = "tiny"\npath = "fuzz_targets/tiny.rs"\n' >"$work/tiny/Cargo.toml"
  printf '#![no_main]\nlibfuzzer_sys::fuzz_target!(|data: &[u8]| { assert_ne!(data, b"tiny"); });\n' >"$work/tiny/fuzz_targets/tiny.rs"
  (cd "$work/tiny" && cargo fetch --quiet)
  : >"$work/theirs" && : >"$work/ours"
  for round in $(seq "${BUILD_ROUNDS:-3}"); do
    rm -rf "$work/tiny-theirs" "$work/tiny-ours"
    time_ms cargo "+$nightly" fuzz build --fuzz-dir "$work/tiny" --target-dir "$work/tiny-theirs" >>"$work/theirs"
    time_ms build_ours asan "$work/tiny" "$work/tiny-ours" --bins >>"$work/ours"
  done
  theirs=$(median <"$work/theirs") ours=$(median <"$work/ours")
  echo "first build: cargo fuzz build $theirs ms ($(spread <"$work/theirs")), ours $ours ms ($(spread <"$work/ours")):" \
    "$(ratio "$ours" "$theirs")"
}

echo "$(date -u +%FT%TZ), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg), $(rustc -V)"
for what in ${@:-build triage merge minimise executions throughput first-build}; do
  "${what//-/_}"
done
