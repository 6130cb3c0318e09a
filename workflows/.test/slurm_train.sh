#!/bin/bash
# scripts/train.slurm on a real Slurm: two processes train, the job is told to stop, is requeued, and ends with the weights
# of a job that nobody disturbed. Takes four minutes, two of which Slurm lets a requeued job wait.
#
#   python workflows/.test/slurm_node.py bash workflows/.test/slurm_train.sh FOLDER
set -euo pipefail

script=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/scripts/train.slurm
mkdir -p "$1"
cd "$1"
genoformer simulate -o genome --length-bp 200000 --seed 1
export OMP_NUM_THREADS=1
train() {
    local options=(--config gene_structure_tiny --data.fasta genome/genome.fa --data.annotation genome/genome.gff3)
    options+=(--trainer.accelerator cpu --trainer.max_steps 300 --data.loader.samples_per_epoch 1200 --name "$1")
    sbatch --parsable "${@:2}" --ntasks-per-node=2 --cpus-per-task=1 "$script" "${options[@]}"
}

job=$(train disturbed)
until [ "$(wc -l < runs/disturbed/metrics.csv)" -gt 3 ]; do sleep 1; done 2> /dev/null
scancel --signal=TERM "$job"
until scontrol show job "$job" | grep -q JobState=COMPLETED; do sleep 2; done
scontrol show job "$job" | grep -q Restarts=1
train whole --wait
cmp runs/disturbed/model/model.safetensors runs/whole/model/model.safetensors
echo "the job was requeued once; both models are equal"
