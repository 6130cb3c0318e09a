"""The commands beside training: what is simulated, predicted, judged, adapted, exported, and refused.

A word that begins with "@" is a file or a bundle of the inputs. Options that change nothing in a file (threads,
devices) are left out; pictures are, too, since they follow from the numbers and the version of matplotlib.
"""

from kept.steps import Step, step

ALL_GENES = "--formats gff3,gtf,tsv,bed,protein,cds"


def simulations() -> list[Step]:
    """Genomes that all else starts from."""
    return [
        step("simulate", "simulate -o out --length-bp 60000 --contigs 2 --seed 11",
             {"out/genome.fa": "genome.fa", "out/genome.gff3": "genome.gff3"}),
        step("simulate-ring", "simulate -o out --length-bp 20000 --seed 12 --gc 0.4",
             {"out/genome.fa": "ring.fa"}),
        step("simulate-code4", "simulate -o out --length-bp 24000 --seed 13 --gc 0.35 --genetic-code 4",
             {"out/genome.fa": "code4.fa", "out/genome.gff3": "code4.gff3"}),
    ]  # fmt: skip


def exports() -> list[Step]:
    """A bundle to the layout of Hugging Face and back, before the fit that starts from it."""
    return [
        step("export", "export @bundles/mlm-hf --format huggingface -o hf", {"hf": "hf"}),
        step("import", "import @hf -o model --seed 3", {"model": "bundles/imported"}),
    ]


def predictions() -> list[Step]:
    """Genes, with the model of bacteria."""
    return [
        step("genes", f"predict @genome.fa -o out {ALL_GENES}"),
        step("genes-again", "predict @genome.fa -o ../genes/out " + ALL_GENES),
        step("genes-circular", f"predict @ring.fa -o out --circular sim12_1 {ALL_GENES}"),
        step("genes-mask", "predict @genome.fa -o out --mask @mask.bed --locus-tag ABC"),
        step("genes-region", f"predict @genome.fa -o out --region sim11_2:3001-21,000 {ALL_GENES}"),
        step("genes-code4", "predict @code4.fa -o out --genetic-code 4 --formats gff3,protein"),
        step("genes-metagenome", f"predict @mixed.fa.gz @ring.fa -o out --metagenome --circular none {ALL_GENES}"),
        step("genes-options", "predict - -o out --no-statistics --across-gaps --min-gene-bp 150 --precision float32 "
             "--batch-size 1 --on-bad-record skip --formats gff3,tsv", stdin="mixed.fa.gz"),
        step("genes-shard1", "predict @genome.fa -o ../genes-merged/parts --shard 1/2 " + ALL_GENES),
        step("genes-shard2", "predict @genome.fa -o ../genes-merged/parts --shard 2/2 " + ALL_GENES),
        step("genes-merged", "merge parts -o out"),
        step("genes-adapt", "predict @genome.fa -o out --adapt --adapt-steps 3"),
        step("genes-tiny", f"predict @genome.fa --model @bundles/genes -o out {ALL_GENES}"),
        step("genes-own-fit", "predict @genome.fa --model ../fit-genes/runs/genes/model -o out"),
        step("introns", f"predict @introns2.fa --model eukaryotes -o out {ALL_GENES}"),
        step("introns-tiny", f"predict @introns2.fa --model @bundles/introns -o out {ALL_GENES}"),
        step("annotate", f"annotate @genome.fa --function ec_class -o out {ALL_GENES}"),
        step("annotate-terms", "annotate @ring.fa --function @bundles/ontology -o out --formats gff3,tsv"),
    ]  # fmt: skip


def sequence_predictions() -> list[Step]:
    """Functions and structures of sequences."""
    functions = ("multiclass", "multilabel", "ontology", "regression")
    return [
        step("enzymes", "predict @coding.fa --model ec_class -o out"),
        *(step(name, f"predict @sequences.fa --model @bundles/{name} -o out") for name in functions),
        step("enzymes-tiny", "predict @coding.fa --model @bundles/enzymes -o out"),
        step("pairs", "predict @rnas.fa --model @bundles/pairs -o out --formats h5,dbn,tsv,ct,bpseq"),
        step("pairs-crossing", "predict @rnas.fa --model @bundles/pairs -o out --crossing"),
        step("codons", "predict @codons.fa --model @bundles/codons -o out"),
        step("contacts", "predict @contacts.fa --model @bundles/contacts -o out --formats tsv,h5"),
    ]


def prior_predictions() -> list[Step]:
    """Base pairs together with ViennaRNA."""
    return [step("pairs-prior", "predict @rnas.fa --model @bundles/pairs-prior -o out --formats h5,dbn,tsv")]


def evaluations() -> list[Step]:
    """Every task that can be judged, on predictions of this run; table or JSON on standard output."""
    on_table = "--id-column id --label-column label"
    return [
        step("judge-genes", "evaluate ../genes/out @genome.gff3 --fasta @genome.fa -o scores.json"),
        step("judge-genes-file", "evaluate ../genes/out/genes.gff3 @genome.gff3 --min-f1 0.999 --json", code=1),
        step("judge-introns", "evaluate ../introns/out @introns2.gff3 --task gene_structure_eukaryote "
             "--fasta @introns2.fa --source made -o scores.json"),
        step("judge-multiclass", f"evaluate ../multiclass/out @kinds.tsv {on_table} -o scores.json"),
        step("judge-multilabel", f"evaluate ../multilabel/out @terms.tsv {on_table} -o scores.json"),
        step("judge-ontology", f"evaluate ../ontology/out @ontology.tsv {on_table} --ontology @terms.obo "
             "-o scores.json"),
        step("judge-regression", f"evaluate ../regression/out @numbers.tsv {on_table} -o scores.json"),
        step("judge-pairs", "evaluate ../pairs/out @rnas.dbn -o scores.json"),
        step("judge-codons", "evaluate ../codons/out @codons.tsv -o scores.json"),
        step("judge-contacts", "evaluate ../contacts/out @contacts.tsv -o scores.json"),
    ]  # fmt: skip


def adaptations() -> list[Step]:
    """Models trained further on a genome."""
    return [
        step("adapt-annotated", "adapt @genome.fa --annotation @genome.gff3 -o model --steps 3"),
        step("adapt-introns", "adapt @introns.fa --annotation @introns.gff3 --source made --model @bundles/introns "
             "-o model --steps 3 --lr 0.01"),
    ]  # fmt: skip


def other_commands() -> list[Step]:
    """Stores, leakage, the list of models, a benchmark."""
    return [
        step("prepare", "prepare @genome.fa @code4.fa --annotation @genome.gff3 @code4.gff3 --genetic-code 11 4 "
             "-o store.h5"),
        step("prepare-introns", "prepare @introns.fa --annotation @introns.gff3 --labels introns --source made "
             "-o store.h5"),
        step("leakage", "check-leakage @relatives.fa @relatives.tsv --sequence-column dna --id-column id "
             "-o shared.tsv"),
        step("leakage-fail", "check-leakage @relatives.fa @relatives.fa --fail --json", code=1),
        step("models", "models"),
        step("models-card", "models @bundles/genes"),
        step("version", "--version"),
    ]  # fmt: skip


def refusals() -> list[Step]:
    """Mistakes of users: the message and the exit code."""
    return [
        step("no-command", "predikt", code=2),
        step("bad-option", "predict @genome.fa -o out --format gff3", code=2),
        step("bad-format", "predict @genome.fa -o out --formats gff4", code=2),
        step("bad-model", "predict @genome.fa -o out --model nowhere", code=66),
        step("bad-record", "predict @broken.fa -o out", code=65),
        step("mask-of-functions", "predict @coding.fa --model ec_class -o out --mask @mask.bed", code=2),
        step("crossing-codons", "predict @codons.fa --model @bundles/codons -o out --crossing", code=2),
    ]


def real_data() -> list[Step]:
    """Small real genomes."""
    return [
        step("real-phix", f"predict @real/phix.fa -o out --circular NC_001422.1 {ALL_GENES}"),
        step("real-lambda", f"predict @real/lambda.fa -o out {ALL_GENES}"),
        step("real-enzymes", "predict @real/enzymes.fa --model ec_class -o out"),
        step("real-worm", f"predict @real/worm.fa --model eukaryotes -o out {ALL_GENES}"),
        step("judge-lambda", "evaluate ../real-lambda/out @real/lambda.gbk.gz -o scores.json"),
        step("judge-enzymes", "evaluate ../real-enzymes/out @real/enzymes.tsv -o scores.json"),
        step("judge-worm", "evaluate ../real-worm/out @real/worm.gff3 --task gene_structure_eukaryote "
             "--source WormBase --fasta @real/worm.fa -o scores.json"),
        step("prepare-genbank", "prepare @real/phix.gbk.gz -o store.h5"),
    ]  # fmt: skip


HELP = (
    "predict", "annotate", "merge", "adapt", "evaluate", "check-leakage", "benchmark", "prepare", "simulate", "export",
    "import", "models",
)  # fmt: skip
"""Commands whose help is kept. That of ``fit`` lists configuration keys, which are compared by what they do."""


def helps() -> list[Step]:
    """The options of the commands."""
    return [step("help", "--help"), *(step(f"help-{name}", f"{name} --help") for name in HELP)]
