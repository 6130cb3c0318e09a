"""Sequence that training and test genomes share, looked for before training."""


rule check_leakage:
    input:
        train=lambda wildcards: SAMPLES[wildcards.train]["fasta"],
        fasta=fasta,
    output:
        table="results/leakage/{train}/{sample}.tsv",
        text=report(
            "results/leakage/{train}/{sample}.txt",
            category="Leakage",
            caption="../report/leakage.rst",
        ),
    log:
        "logs/leakage/{train}-{sample}.log",
    benchmark:
        "benchmarks/leakage/{train}-{sample}.tsv"
    conda:
        "../envs/genoformer.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(60),
        runtime=minutes(0.2),
    params:
        fail="--fail" if config["leakage"] == "fail" else "",
    shell:
        "genoformer check-leakage {input.train:q} {input.fasta:q} {params.fail} -o {output.table:q}"
        " > {output.text:q} 2> {log:q}"
