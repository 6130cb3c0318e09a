"""Valid inputs of every kind, small enough that a command over them takes a second: what all attacks start from."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from Bio.PDB import MMCIFIO, PDBParser
from kept.introns import make_intron_genome
from kept.labelled import write_codons, write_contacts, write_functions, write_rnas
from tiny_bundle import write_tiny_bundle
from tiny_function_bundle import write_function_bundle
from tiny_intron_bundle import write_tiny_intron_bundle
from tiny_sequence_bundle import SETTINGS, write_sequence_bundle

from genoformer.annotation.models import Gene
from genoformer.annotation.write_flat_files import EmblWriter, GenBankWriter
from genoformer.annotation.write_gff3 import Gff3Writer
from genoformer.annotation.write_gtf import GtfWriter
from genoformer.bundle.folder import save_bundle
from genoformer.bundle.header import BundleConfig
from genoformer.genomes.simulate import simulate_genome
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.records import Record
from genoformer.structures.dot_bracket import parse_dot_bracket
from genoformer.structures.pair_files import write_bpseq, write_ct
from genoformer.tasks import gene_structure

GENOME_BP, N_CONTIGS, SEED = 9_000, 3, 5
LONG_BP = 60_000
N_LABELLED, N_VARIANTS, N_EXPLAINED = 24, 12, 2
ANNOTATIONS = {
    "genome.gff3": Gff3Writer, "genome.gtf": GtfWriter, "genome.gbk": GenBankWriter, "genome.embl": EmblWriter,
}  # fmt: skip
GZIP_MTIME = 0


@dataclass(frozen=True)
class Inputs:
    """A folder of inputs; each is made when it is first asked for."""

    folder: Path

    @cached_property
    def genome(self) -> Path:
        """FASTA of a made-up genome; its annotations lie beside it."""
        contigs = list(simulate_genome(length_bp=GENOME_BP, gc=0.5, seed=SEED, n_contigs=N_CONTIGS))
        path = self.folder / "genome.fa"
        write_fasta(path, [record for record, _ in contigs])
        for name, writer in ANNOTATIONS.items():
            with writer(self.folder / name) as file:
                for record, genes in contigs:
                    file.add(record, genes)
        self._write_intervals(contigs)
        return path

    @cached_property
    def long_genome(self) -> Path:
        """FASTA of a genome with enough genes to adapt a model; long.gff3 lies beside it."""
        contigs = list(simulate_genome(length_bp=LONG_BP, gc=0.5, seed=SEED, n_contigs=2))
        path = self.folder / "long.fa"
        write_fasta(path, [record for record, _ in contigs])
        with Gff3Writer(self.folder / "long.gff3") as file:
            for record, genes in contigs:
                file.add(record, genes)
        return path

    @cached_property
    def labelled(self) -> Path:
        """The folder, with sequences and labels of all other tasks, and the files of structures."""
        write_functions(self.folder, n=N_LABELLED)
        write_rnas(self.folder, n=N_LABELLED)
        write_codons(self.folder, n=N_LABELLED)
        write_contacts(self.folder)
        structure = PDBParser(QUIET=True).get_structure("p0", self.folder / "p0.pdb")
        writer = MMCIFIO()
        writer.set_structure(structure)
        writer.save(str(self.folder / "p0.cif"))
        self._write_pair_files()
        text = (self.folder / "kinds.tsv").read_text()
        few = (self.folder / "sequences.fa").read_text().split(">")[1 : 1 + N_EXPLAINED]
        (self.folder / "few.fa").write_text("".join(f">{one}" for one in few))
        (self.folder / "kinds.csv").write_text(text.replace("\t", ","))
        return self.folder

    @cached_property
    def introns(self) -> Path:
        """FASTA of a made-up genome with introns; introns.gff3 lies beside it."""
        bases, rows = make_intron_genome(n_genes=3, seed=6)
        (self.folder / "introns.gff3").write_text(rows)
        path = self.folder / "introns.fa"
        path.write_text(bases)
        return path

    def bundle(self, kind: str) -> Path:
        """A bundle with random weights; see ``BUNDLES``."""
        path = self.folder / "bundles" / kind
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            BUNDLES[kind](path)
        return path

    def gzipped(self, name: str) -> Path:
        """A file as gzip."""
        path = self.folder / f"{name}.gz"
        if not path.exists():
            path.write_bytes(gzip.compress((self.folder / name).read_bytes(), mtime=GZIP_MTIME))
        return path

    def _write_intervals(self, contigs: list[tuple[Record, list[Gene]]]) -> None:
        """Masked intervals, and variants whose REF is that of the genome."""
        rng = np.random.default_rng(SEED)
        head = '##fileformat=VCFv4.2\n##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">\n'
        rows, intervals = [], []
        for record, _ in contigs:
            bases = decode_bases(record.codes)
            intervals.append(f"{record.id}\t100\t160\tmasked\n")
            for place in sorted(rng.choice(len(bases) - 3, N_VARIANTS, replace=False).tolist()):
                ref = bases[place : place + int(rng.integers(1, 3))]
                alt = "ACGT".replace(ref[0], "")[int(rng.integers(3))] + "A" * int(rng.integers(2))
                rows.append(f"{record.id}\t{place + 1}\tv{place}\t{ref}\t{alt}\t50\tPASS\tDP=9\n")
        columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        (self.folder / "variants.vcf").write_text(head + columns + "".join(rows))
        (self.folder / "mask.bed").write_text("".join(intervals))

    def _write_pair_files(self) -> None:
        lines = (self.folder / "rnas.dbn").read_text().splitlines()
        rows = [(lines[i][1:], lines[i + 1], parse_dot_bracket(lines[i + 2])) for i in range(0, min(len(lines), 30), 3)]
        (self.folder / "some.dbn").write_text("\n".join(lines[:30]) + "\n")
        (self.folder / "some.ct").write_text("".join(write_ct(rows)))
        (self.folder / "one.bpseq").write_text("".join(write_bpseq(rows[0])))


def _write_exportable(path: Path) -> None:
    """A bundle whose encoder has a place in Hugging Face's layout."""
    encoder = EncoderConfig(
        vocab_size=69, d_model=16, n_heads=2, n_layers=2, d_ff=24, attention=LongformerConfig(window_radius=4),
        positions="learned", max_tokens=160, norm="post", conv_width=0, stride=3, norm_eps=1e-12,
    )  # fmt: skip
    labels = list(gene_structure.channels)
    config = BundleConfig(
        "gene_structure", {"name": "base"}, encoder.to_dict(), k=3, stride=3, tile_bp=240, labels=labels
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = build_model(encoder, n_channels=len(labels)).eval()
    save_bundle(path, model=model, config=config, card="# made up\n")


BUNDLES: dict[str, Callable[[Path], object]] = {
    "genes": write_tiny_bundle,
    "introns": write_tiny_intron_bundle,
    "exportable": _write_exportable,
    **{kind: partial(write_function_bundle, kind=kind) for kind in ("multiclass", "multilabel", "regression")},
    **{task: partial(write_sequence_bundle, task=task) for task in SETTINGS},
}
"""Writers of tiny bundles, one of each kind."""
