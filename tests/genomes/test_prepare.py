"""From genome files to the store: what goes in, what is counted, what is refused."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from Bio import SeqIO

from genoformer.annotation.tracks import MASKED, NO_RNA, START, STOP, TRNA
from genoformer.errors import DataError, MissingFileError, UsageError, WarningLog
from genoformer.genomes.prepare import find_genomes, prepare_store
from genoformer.genomes.store import Store
from genoformer.sequence.alphabet import decode_bases

BASES = "CCC" + "ATGAAATAA" + "CCCCC" + "TTACCCCAT" + "CCCC"  # a gene on "+" at 3..12, one on "-" at 17..26
GFF3 = """##gff-version 3
c1\t.\tCDS\t4\t12\t.\t+\t0\tID=a
c1\t.\tCDS\t18\t26\t.\t-\t0\tID=b
"""


@pytest.fixture
def files(tmp_path):
    fasta, gff3 = tmp_path / "toy.fna", tmp_path / "toy.gff3"
    fasta.write_text(f">c1\n{BASES}\n>c2\nACGTACGT\n")
    gff3.write_text(GFF3)
    return str(fasta), str(gff3)


def test_labels_lie_where_the_genes_are(files, tmp_path):
    warnings = WarningLog()
    report = prepare_store(tmp_path / "data.h5", find_genomes([files[0]], [files[1]]), warnings=warnings)
    assert report.lines() == ["toy: 2 records, 38 bp, 2 genes"]
    assert warnings.counts["DATA-005"] == 1
    assert "c2" in warnings.examples["DATA-005"]
    store = Store(tmp_path / "data.h5")
    assert [(r.genome, r.id, r.length, r.genetic_code) for r in store.records] == [
        ("toy", "c1", 30, 11), ("toy", "c2", 8, 11),
    ]  # fmt: skip
    plus, minus = store.tracks(0, 0, 30)
    assert (np.flatnonzero(plus & START).tolist(), np.flatnonzero(plus & STOP).tolist()) == ([3], [9])
    assert (np.flatnonzero(minus & START).tolist(), np.flatnonzero(minus & STOP).tolist()) == ([25], [19])
    assert np.flatnonzero(plus).tolist() == list(range(3, 12))
    assert not store.tracks(1, 0, 8).any()
    assert store.genes(0)[["start", "end", "strand"]].tolist() == [(3, 12, 1), (17, 26, -1)]


def test_rna_genes_are_labelled_if_asked_for(files, tmp_path):
    genomes, path = find_genomes([files[0]], [files[1]]), tmp_path / "data.h5"
    Path(files[1]).write_text(GFF3 + "c1\t.\ttRNA\t14\t16\t.\t-\t.\tID=t\n")
    assert prepare_store(path, genomes).lines() == ["toy: 2 records, 38 bp, 2 genes"]
    assert not (Store(path).tracks(0, 0, 30) & NO_RNA).any()
    warnings = WarningLog()
    report = prepare_store(path, genomes, labels="codons_rna", warnings=warnings)
    assert report.lines() == ["toy: 2 records, 38 bp, 2 genes, 0 rRNA and 1 tRNA genes"]
    assert warnings.counts["DATA-008"] == 1
    tracks = Store(path).tracks(0, 0, 30)
    assert np.flatnonzero((tracks[1] & NO_RNA) == TRNA).tolist() == [13, 14, 15]
    assert ((tracks[0] & NO_RNA) == NO_RNA).all() and np.flatnonzero(tracks[0] & START).tolist() == [3]
    assert not (Store(path).tracks(1, 0, 8) & NO_RNA).any()  # the annotation says nothing of c2
    assert Store(path).records[0].genetic_code == 11


def test_rna_is_unknown_where_an_annotation_names_none(files, tmp_path):
    warnings = WarningLog()
    genomes = find_genomes([files[0]], [files[1]])
    report = prepare_store(tmp_path / "data.h5", genomes, labels="codons_rna", warnings=warnings)
    assert report.lines() == ["toy: 2 records, 38 bp, 2 genes, RNA genes unknown"]
    assert warnings.counts["DATA-007"] == 1
    assert not (Store(tmp_path / "data.h5").tracks(0, 0, 30) & NO_RNA).any()


def test_genes_with_introns_have_the_standard_code_unless_a_file_says_otherwise(files, tmp_path):
    codes = {}
    for said in ("", ";transl_table=6"):
        Path(files[1]).write_text(GFF3.replace("ID=a", f"ID=a{said}").replace("ID=b", f"ID=b{said}"))
        for labels in ("codons", "introns"):
            prepare_store(tmp_path / labels, find_genomes([files[0]], [files[1]]), labels=labels)
            codes[said, labels] = Store(tmp_path / labels).records[0].genetic_code
    assert list(codes.values()) == [11, 1, 6, 6]


def test_same_files_are_not_prepared_again_but_changed_ones_are(files, tmp_path):
    genomes, path = find_genomes([files[0]], [files[1]]), tmp_path / "data.h5"
    assert prepare_store(path, genomes) is not None
    written = path.stat().st_mtime_ns
    assert prepare_store(path, genomes) is None
    assert path.stat().st_mtime_ns == written
    Path(files[1]).write_text(GFF3.splitlines(keepends=True)[0] + GFF3.splitlines(keepends=True)[1])
    assert prepare_store(path, genomes).n_genes["toy"] == 1
    assert prepare_store(path, find_genomes([files[0]], [files[1]], 4)) is not None


def test_damaged_store_is_made_again(files, tmp_path):
    genomes, path = find_genomes([files[0]], [files[1]]), tmp_path / "data.h5"
    path.write_bytes(b"no store")
    assert prepare_store(path, genomes) is not None
    assert len(Store(path).records) == 2


def test_genbank_alone_gives_sequence_and_genes(data_dir, tmp_path):
    source = data_dir / "genome_phages" / "NC_001422.gbk.gz"
    prepare_store(tmp_path / "data.h5", find_genomes(None, [str(source)]))
    store = Store(tmp_path / "data.h5")
    with gzip.open(source, "rt") as handle:
        record = SeqIO.read(handle, "genbank")
    assert decode_bases(store.bases(0, 0, len(record))) == str(record.seq)
    cds = [feature for feature in record.features if feature.type == "CDS"]
    assert len(store.genes(0)) == len(cds)
    simple = [f for f in cds if len(f.location.parts) == 1 and f.location.strand == 1]
    plus = store.tracks(0, 0, len(record))[0]
    assert all(plus[int(f.location.start)] & (START | MASKED) for f in simple)


def test_genomes_of_equal_file_name_are_told_apart_by_folder(files, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "genome.fa").write_text(f">c1\n{BASES}\n")
    genomes = find_genomes([str(tmp_path / name / "genome.fa") for name in ("one", "two")], [files[1]] * 2, [11, 4])
    assert [(genome.name, genome.genetic_code) for genome in genomes] == [("one/genome", 11), ("two/genome", 4)]


@pytest.mark.parametrize(
    ("fasta", "annotation", "code", "error", "found"),
    [
        (None, None, None, UsageError, "no genome"),
        (["toy.fna"], None, None, UsageError, "neither GenBank nor EMBL"),
        (["toy.fna", "toy.fna"], ["toy.gff3"], None, UsageError, "2 sequence files, 1 annotations"),
        (["toy.fna"], ["toy.gff3"], [11, 4], UsageError, "2 genetic codes"),
        (["toy.fna"], ["absent.gff3"], None, MissingFileError, "absent.gff3"),
        (["toy.fna"], ["toy.gff3"], 99, UsageError, "99"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(files, tmp_path, monkeypatch, fasta, annotation, code, error, found):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=found):
        find_genomes(fasta, annotation, code)


def test_ids_that_do_not_match_are_refused_unless_mapped(files, tmp_path):
    Path(files[1]).write_text(GFF3.replace("c1\t", "chrI\t"))
    genomes = find_genomes([files[0]], [files[1]])
    with pytest.raises(DataError, match="chrI"):
        prepare_store(tmp_path / "data.h5", genomes)
    assert not (tmp_path / "data.h5").exists()
    (tmp_path / "ids.tsv").write_text("chrI\tc1\n")
    report = prepare_store(tmp_path / "data.h5", genomes, seqid_map=str(tmp_path / "ids.tsv"))
    assert report.n_genes["toy"] == 2
