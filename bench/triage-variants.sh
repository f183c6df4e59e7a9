#!/bin/sh
# Builds bench/triage-variants with two compilers and two profiles, runs every planted defect in each, and asks triage for
# the findings. Prints a line a defect; fails if one has two findings, or two share one. Needs the stable and nightly
# toolchains. Usage: bench/triage-variants.sh [FOLDER FOR BUILDS AND LOGS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-"$here/../target/triage-variants"}
defects="closure map generic1 generic2 inlined async left right display default1 default2 sort boundary slice thread capacity drop"
rm -rf "$work/logs"
mkdir -p "$work/logs"

for toolchain in stable nightly; do
    for profile in dev release; do
        cargo "+$toolchain" build -q --profile "$profile" --manifest-path "$here/triage-variants/Cargo.toml" \
            --target-dir "$work/$toolchain"
        folder=$([ "$profile" = dev ] && echo debug || echo release)
        for defect in $defects; do
            # Every run ends in a panic: that is its purpose.
            RUST_BACKTRACE=1 "$work/$toolchain/$folder/variants" "$defect" \
                >"$work/logs/$defect.$toolchain-$profile.txt" 2>&1 || true
        done
    done
done

cargo run -q --manifest-path "$here/../Cargo.toml" -p shakedown-exec --example triage-files -- "$work"/logs/*.txt |
    awk '$1 == "finding" {
        name = $3; sub(/.*\//, "", name); sub(/\..*/, "", name); sub(/[0-9]$/, "", name)
        if (!((name, $2) in seen)) { seen[name, $2] = 1; findings[name] = findings[name] " " $2; n[name]++; defects[$2] = defects[$2] " " name; m[$2]++ }
        runs[name]++
    }
    END {
        for (name in n) { printf "%-10s %2d runs, finding%s\n", name, runs[name], findings[name]; if (n[name] > 1) wrong++ }
        for (finding in m) if (m[finding] > 1) { print "mixed:" defects[finding]; wrong++ }
        exit wrong > 0
    }'
