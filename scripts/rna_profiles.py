"""Give a model for genes without introns profiles of RNA genes, as ``fit`` learns them when it finishes one.

    python scripts/rna_profiles.py MODEL --genomes tables/prokaryotes.tsv --store rna.h5

The weights stay as they are, and so does all else of the calibration; the manifest is written anew.
"""

import argparse
from pathlib import Path

from genoformer.applications.genes.learned_rna import learn_from_store
from genoformer.bundle.folder import add_calibration, load_bundle
from genoformer.genomes.genome_table import read_genome_table
from genoformer.genomes.prepare import RNA_LABELS, prepare_store
from genoformer.genomes.store import Store
from genoformer.inference.bundle_digests import RNA


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of the model")
    parser.add_argument("--genomes", type=Path, required=True, help="table of genomes to learn from")
    parser.add_argument("--store", type=Path, required=True, help="made of them if it is not there")
    args = parser.parse_args()
    table = read_genome_table(args.genomes)
    prepare_store(args.store, [row.files for row in table], labels=RNA_LABELS)
    learned = learn_from_store(Store(args.store), table, [])
    if learned is None:
        parser.error("the genomes have no RNA genes")
    bundle = load_bundle(args.model)
    add_calibration(args.model, bundle, {RNA: learned.to_dict()})


if __name__ == "__main__":
    main()
