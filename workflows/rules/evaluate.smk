"""Scores of predicted genes against reference annotations."""


rule evaluate:
    input:
        predicted="results/predict/{sample}/genes.gff3",
        # Says what kind of genes these are.
        summary="results/predict/{sample}/summary.json",
        reference=annotation,
        fasta=fasta,
    output:
        json="results/evaluate/{sample}.json",
        table=report(
            "results/evaluate/{sample}.txt",
            category="Scores",
            caption="../report/scores.rst",
        ),
    log:
        "logs/evaluate/{sample}.log",
    benchmark:
        "benchmarks/evaluate/{sample}.tsv"
    conda:
        "../envs/genoformer.yaml"
    threads: 1
    resources:
        mem_mb=memory_mb(20),
        runtime=minutes(0.1),
    shell:
        "genoformer evaluate {input.predicted:q} {input.reference:q} --fasta {input.fasta:q} -o {output.json:q}"
        " > {output.table:q} 2> {log:q}"
