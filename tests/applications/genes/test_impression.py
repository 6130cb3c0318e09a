"""What is said of a whole genome, and that it is said to the user."""

import json

import numpy as np
import pytest
from tiny_bundle import write_tiny_bundle

from genoformer.annotation.models import Gene
from genoformer.annotation.read import read_records
from genoformer.applications.genes.impression import Impression
from genoformer.cli.main import main
from genoformer.decoding.code_check import MIN_GENES
from genoformer.errors import WarningLog
from genoformer.sequence.alphabet import decode_bases, encode_bases


def impression_of(evidence, stop="TAA"):
    """Genes of 303 bp behind each other, and what they say."""
    codes = encode_bases(("ATG" + "GCC" * 99 + stop) * (MIN_GENES + 1))
    genes = [Gene("c", i, i + 303, "+", codon_evidence=evidence) for i in range(0, len(codes), 303)]
    impression = Impression()
    impression.add(codes, genes)
    return impression


@pytest.mark.parametrize(("evidence", "lines"), [(3.9, 0), (0.5, 1)])
def test_unfamiliar_genomes_are_told_to_the_user(evidence, lines):
    warnings, impression = WarningLog(), impression_of(evidence)
    found = impression.familiarity(4.0)
    impression.warn(found, 11, warnings)
    assert found["looks_familiar"] is (lines == 0)
    assert len(warnings.lines()) == lines and all("GENOME-001" in line for line in warnings.lines())


@pytest.mark.parametrize(("code", "lines"), [(11, 1), (1, 1), (4, 0), (25, 0)])
def test_a_genome_in_which_uga_is_no_stop_is_told_unless_the_code_says_so(code, lines):
    warnings, impression = WarningLog(), impression_of(3.9, "TGA")
    impression.warn(impression.familiarity(4.0), code, warnings)
    assert len(warnings.lines()) == lines


def test_no_genes_leave_it_open():
    impression = Impression()
    impression.add(np.zeros(9, np.uint8), [])
    assert impression.familiarity(4.0)["looks_familiar"] is None


def test_metagenome_takes_each_record_by_itself(tmp_path, data_dir):
    """Statistics of one record must not reach another: a record gives the same genes alone and beside others."""
    model = write_tiny_bundle(tmp_path / "model")
    phage, small = (read_records(data_dir / "genome_phages" / f"{n}.gbk.gz") for n in ("NC_049491", "NC_019724"))
    texts = [f">{r.id}\n{decode_bases(r.codes)}\n" for r in (*phage, *small)]
    (tmp_path / "two.fa").write_text("".join(texts))
    (tmp_path / "one.fa").write_text(texts[0])
    summaries = {}
    for name, options in (("two", ["--metagenome"]), ("one", []), ("mixed", [])):
        fasta = tmp_path / ("two.fa" if name == "mixed" else f"{name}.fa")
        assert main(["predict", str(fasta), "--model", str(model), "-o", str(tmp_path / name), *options]) == 0
        summaries[name] = json.loads((tmp_path / name / "summary.json").read_text())["genome_statistics"]
    # The longer one has 20 000 codons, the shorter one has not.
    assert summaries == {"two": 1, "one": True, "mixed": True}
    first = texts[0][1:].split("\n")[0]
    rows = {name: (tmp_path / name / "genes.tsv").read_text().splitlines() for name in summaries}
    own = {name: [line for line in lines if line.startswith(f"{first}\t")] for name, lines in rows.items()}
    assert own["two"] == own["one"] and len(own["one"]) > 50
    assert own["mixed"] != own["one"]


def test_a_metagenome_is_nothing_to_adapt_to(tmp_path, capsys):
    model = write_tiny_bundle(tmp_path / "model")
    (tmp_path / "a.fa").write_text(">a\nACGT\n")
    command = ["predict", str(tmp_path / "a.fa"), "--model", str(model), "-o", str(tmp_path / "x")]
    assert main([*command, "--metagenome", "--adapt"]) == 2
    assert "--metagenome" in capsys.readouterr().err
