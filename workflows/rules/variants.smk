"""Variants: what the model of a sample says of the rows of its VCF file."""


rule variants:
    input:
        fasta=fasta,
        vcf=lambda wildcards: SAMPLES[wildcards.sample]["variants"],
        model=model_files,
    output:
        "results/variants/{sample}/variants.vcf",
        "results/variants/{sample}/variants.tsv",
        "results/variants/{sample}/summary.json",
        "results/variants/{sample}/run.json",
        "results/variants/{sample}/manifest.json",
    log:
        "logs/variants/{sample}.log",
    benchmark:
        "benchmarks/variants/{sample}.tsv"
    conda:
        "../envs/genoformer.yaml"
    threads: config["prediction"]["threads"]
    resources:
        mem_mb=memory_mb(30),
        runtime=minutes(10),
        gpu=config["prediction"]["gpus"],
    params:
        model=model,
        out=lambda wildcards, output: Path(output[0]).parent,
        device="cuda" if config["prediction"]["gpus"] else "cpu",
        genetic_code=genetic_code,
        options=config["variants"]["options"],
    shell:
        "genoformer variants {input.fasta:q} {input.vcf:q} --model {params.model:q} -o {params.out:q}"
        " --threads {threads} --device {params.device} {params.genetic_code} {params.options} > {log:q} 2>&1"
