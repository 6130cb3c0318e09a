#!/usr/bin/env bash
# The whole way in a few minutes: make up two genomes, train on one, find the genes of the other, score them.
# Usage: scripts/demo.sh [FASTA]; results lie in demo/ and runs/demo/ of the current folder.
# With FASTA, the genes of that file are found with the model that comes with the package.
# DEMO_STEPS limits the training steps.
set -euo pipefail

steps=()
if [ -n "${DEMO_STEPS:-}" ]; then
    steps=(--trainer.max_steps "$DEMO_STEPS")
fi

step() { printf '\n== %s\n' "$1"; }

step "1. Make up two genomes with known genes"
genoformer simulate -o demo/train --length-bp 1000000 --gc 0.5 --seed 1 --overwrite
genoformer simulate -o demo/second --length-bp 300000 --gc 0.5 --seed 2 --overwrite

step "2. Train a small model on the first (runs/demo/model)"
genoformer fit --config gene_structure_demo --name demo --overwrite \
    --data.fasta demo/train/genome.fa --data.annotation demo/train/genome.gff3 ${steps[@]+"${steps[@]}"}

step "3. Find the genes of the second (demo/predicted)"
genoformer predict demo/second/genome.fa --model runs/demo/model -o demo/predicted --overwrite

step "4. Compare them with the genes that are there"
genoformer evaluate demo/predicted/genes.gff3 demo/second/genome.gff3 --fasta demo/second/genome.fa

if [ $# -gt 0 ]; then
    step "5. Find the genes of $1 with the model that comes with the package (demo/my)"
    genoformer predict "$1" --model prokaryotes -o demo/my --overwrite \
        --formats gff3,tsv,protein,report
    printf 'Open demo/my/report.html to look at them.\n'
fi

printf '\nThe genome is made up, so this shows that everything works, not how good the model is on real genomes.\n'
