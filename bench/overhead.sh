#!/usr/bin/env bash
# What the harness costs: executions a second of a target under `shakedown fuzz` on one core, against the same binary run
# by hand with the same flags. The two take turns, from an empty corpus each time; the ratios of the pairs are printed.
#
#   bench/overhead.sh [ROUNDS] [SECONDS] [TARGET]
#
# The target is a clean one of examples/canary, so that both sides fuzz from the first second to the last.
set -euo pipefail
rounds=${1:-7} seconds=${2:-20} target=${3:-words}
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --release --quiet --manifest-path "$root/Cargo.toml" -p shakedown
shakedown=$root/target/release/shakedown
cp -r "$root/examples/canary" "$work/canary"
project=$work/canary
# Once, so that no round builds anything.
"$shakedown" fuzz "$target" --for 10m --quiet -C "$project" --jobs 1 --seed 1 >/dev/null 2>&1 &
builder=$!
until binary=$(find "$project/.shakedown/build" -path "*release/$target" -type f -perm -u+x 2>/dev/null | head -n 1) && [ -n "$binary" ]; do
    kill -0 "$builder" 2>/dev/null || { echo "the target was not built" >&2; exit 1; }
    sleep 1
done
kill -INT "$builder"; wait "$builder" || true

under() { # executions a second under the harness
    rm -rf "$project/.shakedown/corpus"
    "$shakedown" fuzz "$target" --for "$((seconds + 2))s" --jobs 1 --seed "$1" --json -C "$project" 2>/dev/null |
        grep '"event":"report"' |
        sed -E 's/.*"executions":([0-9]+),"executions_per_second":([0-9.]+).*/\2/'
}

by_hand() { # executions a second of the binary alone, with the flags and variables that the harness uses
    rm -rf "$work/corpus" && mkdir -p "$work/corpus" "$work/artifacts"
    local began ended executions
    began=$(date +%s.%N)
    executions=$(ASAN_OPTIONS=symbolize=0:detect_odr_violation=0 RUST_BACKTRACE=0 "$binary" "$work/corpus" \
        "-artifact_prefix=$work/artifacts/" "-max_total_time=$seconds" "-seed=$1" -print_final_stats=1 \
        -timeout=25 -rss_limit_mb=2560 2>&1 | sed -nE 's/^stat::number_of_executed_units: ([0-9]+)/\1/p')
    ended=$(date +%s.%N)
    awk -v n="$executions" -v a="$began" -v b="$ended" 'BEGIN { print n / (b - a) }'
}

printf 'round\tharness\tby hand\tratio\n'
for round in $(seq "$rounds"); do
    if [ $((round % 2)) -eq 1 ]; then ours=$(under "$round"); theirs=$(by_hand "$round"); else theirs=$(by_hand "$round"); ours=$(under "$round"); fi
    awk -v r="$round" -v a="$ours" -v b="$theirs" 'BEGIN { printf "%d\t%.0f\t%.0f\t%.4f\n", r, a, b, a / b }' | tee -a "$work/ratios"
done
sort -k4,4n "$work/ratios" | awk '{ ratio[NR] = $4 } END {
    median = NR % 2 ? ratio[(NR + 1) / 2] : (ratio[NR / 2] + ratio[NR / 2 + 1]) / 2
    printf "ratio\tmedian %.4f\tmin %.4f\tmax %.4f\n", median, ratio[1], ratio[NR] }'
