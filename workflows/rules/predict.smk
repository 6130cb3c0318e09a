"""Prediction: the model pass in shards, and the genes from all of them together, in the order of the input."""


rule predict_shard:
    input:
        fasta=fasta,
        model=model_files,
    output:
        directory(f"results/shards/{{sample}}-{SHARDS}/shard-{{i}}-of-{SHARDS}"),
    log:
        f"logs/predict/{{sample}}-{{i}}-of-{SHARDS}.log",
    benchmark:
        f"benchmarks/predict/{{sample}}-{{i}}-of-{SHARDS}.tsv"
    retries: 1
    conda:
        "../envs/genoformer.yaml"
    threads: config["prediction"]["threads"]
    resources:
        mem_mb=memory_mb(16),
        runtime=minutes(1 / SHARDS),
        gpu=config["prediction"]["gpus"],
    params:
        parts=lambda wildcards, output: Path(output[0]).parent,
        model=model,
        shards=SHARDS,
        formats=",".join(FORMATS),
        device="cuda" if config["prediction"]["gpus"] else "cpu",
        genetic_code=genetic_code,
        options=config["prediction"]["options"],
    shell:
        "genoformer predict {input.fasta:q} --model {params.model:q} -o {params.parts:q} --shard {wildcards.i}/{params.shards}"
        " --formats {params.formats} --threads {threads} --device {params.device} {params.genetic_code} {params.options}"
        " > {log:q} 2>&1"


rule merge:
    input:
        fasta=fasta,
        shards=expand(
            "results/shards/{{sample}}-{n}/shard-{i}-of-{n}",
            n=SHARDS,
            i=range(1, SHARDS + 1),
        ),
        model=model_files,
    output:
        [f"results/predict/{{sample}}/{name}" for name in PREDICTED],
        report(
            "results/predict/{sample}/summary.json",
            category="Genes",
            caption="../report/genes.rst",
        ),
        "results/predict/{sample}/run.json",
        "results/predict/{sample}/manifest.json",
    log:
        "logs/merge/{sample}.log",
    benchmark:
        "benchmarks/merge/{sample}.tsv"
    conda:
        "../envs/genoformer.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(16),
        runtime=minutes(0.2),
    params:
        parts=lambda wildcards, input: Path(input.shards[0]).parent,
        model=model,
        out=lambda wildcards, output: Path(output[0]).parent,
    shell:
        "genoformer merge {params.parts:q} --fasta {input.fasta:q} --model {params.model:q} -o {params.out:q} > {log:q} 2>&1"
