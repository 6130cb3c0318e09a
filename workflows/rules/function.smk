"""Functions of the predicted genes, from their coding sequences, with a model of the task function."""


rule function:
    input:
        fasta="results/predict/{sample}/cds.fna",
        model=function_model_files,
    output:
        report(
            "results/function/{sample}/functions.tsv",
            category="Functions",
            caption="../report/functions.rst",
        ),
        "results/function/{sample}/summary.json",
        "results/function/{sample}/run.json",
        "results/function/{sample}/manifest.json",
    log:
        "logs/function/{sample}.log",
    benchmark:
        "benchmarks/function/{sample}.tsv"
    conda:
        "../envs/genoformer.yaml"
    threads: config["prediction"]["threads"]
    resources:
        mem_mb=memory_mb(60),
        runtime=minutes(2),
        gpu=config["prediction"]["gpus"],
    params:
        model=model,
        out=lambda wildcards, output: Path(output[0]).parent,
        device="cuda" if config["prediction"]["gpus"] else "cpu",
    shell:
        "genoformer predict {input.fasta:q} --model {params.model:q} -o {params.out:q} --threads {threads}"
        " --device {params.device} --allow-empty > {log:q} 2>&1"
