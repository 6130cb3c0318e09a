#!/usr/bin/env bash
# Build wheel and source archive, and try each in an empty environment away from the checkout. Takes minutes, and the network.
#
#     scripts/install_check.sh
#     PYTHON=python3.13 PIP_ARGS="--extra-index-url URL" scripts/install_check.sh
#     OLDEST=1 scripts/install_check.sh       the oldest versions that pyproject.toml allows; needs uv
#     EXTRAS=workflow scripts/install_check.sh
#
# BASE=FOLDER is where environments go; they are removed afterwards. ONLY=wheel or ONLY=sdist tries one of the two.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
work=$(mktemp -d "${BASE:-${TMPDIR:-/tmp}}/install-XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
unset PYTHONPATH

step() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

build() {
    git -C "$repo" ls-files -z --cached --others --exclude-standard |
        (cd "$repo" && xargs -0 cp --parents --no-dereference -t "$work/source")
    "$python" -m venv "$work/build"
    "$work/build/bin/pip" install --quiet ${PIP_ARGS:-} build
    "$work/build/bin/python" -m build --outdir "$work/dist" "$work/source" >"$work/build.log" 2>&1 ||
        { tail -20 "$work/build.log"; return 1; }
    ls -l "$work/dist"
}

install() { # ENVIRONMENT ARCHIVE
    local target="$2${EXTRAS:+[$EXTRAS]}"
    "$python" -m venv "$1"
    if [ -n "${OLDEST:-}" ]; then
        uv pip install --quiet --python "$1/bin/python" --resolution lowest-direct "$target"
    else
        "$1/bin/pip" install --quiet ${PIP_ARGS:-} -c "$repo/constraints.txt" "$target"
    fi
}

try() { # ENVIRONMENT
    local genoformer="$1/bin/genoformer" fit
    "$genoformer" --version
    "$1/bin/python" -c 'import genoformer, sys; assert genoformer.__file__.startswith(sys.prefix), genoformer.__file__'
    "$genoformer" models
    "$genoformer" simulate -o sim --length-bp 24000 --contigs 2
    printf '>one\n%s\n' "$(head -c 300 /dev/zero | tr '\0' A)" >tiny.fa
    for model in $("$genoformer" models --tsv | tail -n +2 | cut -f 1); do
        local input=sim/genome.fa
        [ "$model" = ec_class ] || [ "$model" = go_slim ] && input=tiny.fa
        "$genoformer" predict "$input" --model "$model" -o "predicted-$model"
        test -f "predicted-$model/manifest.json"
    done
    fit=(fit --config gene_structure_tiny --config cpu --trainer.max_steps 5 --name five)
    "$genoformer" "${fit[@]}" --data.fasta sim/genome.fa --data.annotation sim/genome.gff3
    test -f runs/five/model/manifest.json
    test -f "$("$genoformer" configs --workflow)/Snakefile"
    "$genoformer" configs gene_structure_tiny >/dev/null
    if [ -x "$1/bin/snakemake" ]; then
        cp -r "$("$genoformer" configs --workflow)/config" .
        printf 'sample\tfasta\tannotation\trole\none\tsim/genome.fa\tsim/genome.gff3\tpredict\n' >config/samples.tsv
        PATH="$1/bin:$PATH" snakemake -s "$("$genoformer" configs --workflow)/Snakefile" \
            --configfile config/config.yaml --cores 1 --dry-run --quiet
    fi
}

mkdir "$work/source"
step "build"
build
for kind in wheel sdist; do
    [ -z "${ONLY:-}" ] || [ "$ONLY" = "$kind" ] || continue
    archive=$(echo "$work"/dist/*.$([ $kind = wheel ] && echo whl || echo tar.gz))
    step "$kind: install with $("$python" --version)"
    install "$work/$kind" "$archive"
    step "$kind: try"
    mkdir "$work/$kind-try"
    (cd "$work/$kind-try" && try "$work/$kind")
    rm -rf "${work:?}/$kind" "$work/$kind-try"
done
step "all checks passed"
