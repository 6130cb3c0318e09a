#!/usr/bin/env bash
# Line coverage of the quick tests, into docs/results/coverage-all.json; half an hour and more on one core.
#
#     scripts/coverage.sh            every room of tests/, each in a process of its own, then the compiled functions
#     scripts/coverage.sh nn sequence compiled     these rooms; figures of others stay from the last run in WORK
#
# PREFIX=nice runs every room by way of another command.
#
# Coverage does not see into compiled functions. Those that the interpreter can run are run by it, with
# NUMBA_DISABLE_JIT=1, in tests of tiny inputs (scripts/coverage_limit.py skips the others); those of attention cannot, and are left out by a list
# (scripts/coverage_left_out.txt) that the tests compare with the code. Processes that tests start are not counted.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=${WORK:-${TMPDIR:-/tmp}/genoformer-coverage}
mkdir -p "$work"
cd "$repo"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

# Tests of compiled functions.
COMPILED=(decoding sequence/test_kmers.py annotation/test_recode.py annotation/test_rewrite_coding.py genomes)

measure() { # NAME TESTS...
    local name=$1 code=0
    shift
    rm -f "$work/$name.data"
    COVERAGE_FILE="$work/$name.data" ${PREFIX:-} python -m coverage run --source=genoformer \
        -m pytest -q -p no:cacheprovider "$@" >"$work/$name.log" 2>&1 || code=$?
    printf '%-14s exit %s, %s s: %s\n' "$name" "$code" "$SECONDS" "$(tail -1 "$work/$name.log")"
}

rooms=("$@")
if [ ${#rooms[@]} = 0 ]; then
    rm -f "$work"/*.data
    for folder in tests/*/; do
        [ -n "$(find "$folder" -name 'test_*.py' -print -quit)" ] && rooms+=("$(basename "$folder")")
    done
    rooms+=(top compiled)
fi
for room in "${rooms[@]}"; do
    case $room in
        top) measure top tests/test_*.py ;;
        compiled)
            NUMBA_DISABLE_JIT=1 PYTHONPATH="$repo/scripts:${PYTHONPATH:-}" \
                measure compiled -p coverage_limit "${COMPILED[@]/#/tests/}"
            ;;
        *) measure "$room" "tests/$room" ;;
    esac
done
python -m coverage combine --quiet --keep --data-file="$work/all" "$work"/*.data
python -m coverage json --quiet --data-file="$work/all" -o "$work/report.json"
python scripts/coverage_figure.py "$work/report.json" -o docs/results/coverage-all.json
