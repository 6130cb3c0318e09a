"""Training: genomes with known genes to a store, and to a model."""


rule prepare:
    input:
        fasta=[SAMPLES[name]["fasta"] for name in names("train")],
        annotation=[reference(name) for name in names("train")],
    output:
        "results/train/data.h5",
    log:
        "logs/prepare.log",
    benchmark:
        "benchmarks/prepare.tsv"
    conda:
        "../envs/genoformer.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(20),
        runtime=minutes(0.1),
    params:
        labels=config["training"]["labels"],
    shell:
        "genoformer prepare {input.fasta:q} --annotation {input.annotation:q} --labels {params.labels} -o {output:q}"
        " > {log:q} 2>&1"


# Checkpoints stay beside the model, outside of the declared outputs: a job that failed or was cancelled continues there.
rule train:
    input:
        store="results/train/data.h5",
        checked=expand(
            "results/leakage/{train}/{sample}.txt",
            train=names("train"),
            sample=names("test"),
        ),
    output:
        report(
            f"{RUN}/model/model_card.md",
            category="Training",
            caption="../report/model.rst",
        ),
        [f"{RUN}/model/{name}" for name in BUNDLE],
    log:
        "logs/train.log",
    benchmark:
        "benchmarks/train.tsv"
    retries: 1
    conda:
        "../envs/genoformer.yaml"
    threads: config["training"]["threads"]
    resources:
        mem_mb=memory_mb(20, least=6000),
        runtime=config["training"]["minutes"],
        gpu=config["training"]["gpus"],
    params:
        name=config["training"]["name"],
        config=lambda wildcards: [
            f"--config {quote(name)}" for name in config["training"]["configs"]
        ],
        options=config["training"]["options"],
    shell:
        "OMP_NUM_THREADS={threads} genoformer fit {params.config} --name {params.name} --data.store {input.store:q}"
        " {params.options} >> {log:q} 2>&1"
