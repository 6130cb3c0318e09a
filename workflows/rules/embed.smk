"""Embeddings: hidden states of a model for records, windows or bases of the genomes."""


rule embed:
    input:
        fasta=fasta,
        model=lambda wildcards: bundle_files(config["embeddings"]["model"]),
    output:
        [f"results/embed/{{sample}}/{name}" for name in EMBEDDED],
        "results/embed/{sample}/summary.json",
        "results/embed/{sample}/run.json",
        "results/embed/{sample}/manifest.json",
    log:
        "logs/embed/{sample}.log",
    benchmark:
        "benchmarks/embed/{sample}.tsv"
    conda:
        "../envs/genoformer.yaml"
    threads: config["prediction"]["threads"]
    resources:
        mem_mb=memory_mb(16),
        runtime=minutes(1),
        gpu=config["prediction"]["gpus"],
    params:
        model=config["embeddings"]["model"],
        formats=",".join(config["embeddings"]["formats"]),
        options=config["embeddings"]["options"],
        out=lambda wildcards, output: Path(output[0]).parent,
        device="cuda" if config["prediction"]["gpus"] else "cpu",
    shell:
        "genoformer embed {input.fasta:q} --model {params.model:q} -o {params.out:q} --formats {params.formats}"
        " --threads {threads} --device {params.device} {params.options} > {log:q} 2>&1"
