"""Contacts from structure files: real PDB and mmCIF files, and those that do not fit."""

import gzip
import json

import numpy as np
import pytest

from genoformer.annotation.genetic_code import translate
from genoformer.errors import DataError, MissingFileError
from genoformer.labels.tables import LabelledSequence
from genoformer.sequence.alphabet import encode_bases
from genoformer.structures.contact_labels import read_contacts
from genoformer.structures.contacts import APART, CONTACT, UNKNOWN, Chain, contact_labels, place_chain, read_chain
from genoformer.structures.planted import plant_contacts

LINE = "ATOM  {:5d}  {:3s} {} A{:4d}    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00           C\n"


@pytest.fixture(scope="module")
def psicov(data_dir):
    with gzip.open(data_dir / "struct_contacts_psicov150" / "psicov_coords_10.jsonl.gz", "rt") as file:
        return {row["id"]: row for row in map(json.loads, file)}


def n_far(labels):
    return int((np.triu(labels, 6) == CONTACT).sum())


@pytest.mark.parametrize("name", ["1cc8", "1ctf", "1iib", "1jo8", "1smx", "1t8k"])
def test_real_pdb_files_give_the_contacts_of_the_table(data_dir, psicov, name):
    row = psicov[name]
    example = LabelledSequence(name, encode_bases(row["dna"]), f"{name}.pdb.gz:A", "", "table line 2")
    labels = read_contacts(example, data_dir / "struct_pdb_files", 1)
    wanted = contact_labels(np.array(row["cb"]))
    known = labels != UNKNOWN
    assert labels.shape == wanted.shape and known.mean() > 0.9
    assert (labels[known] == wanted[known]).mean() > 0.995


def test_table_coordinates_give_its_number_of_contacts(psicov):
    for row in psicov.values():
        assert n_far(contact_labels(np.array(row["cb"]))) == row["n_contacts_cb8_sep6"]


def test_mmcif_file_is_read_and_selenomethionine_is_methionine(data_dir):
    chain = read_chain(data_dir / "struct_pdb_files" / "1A8O.cif.gz", "A", "here")
    assert len(chain.letters) == 70 and chain.letters.startswith("MDIRQGPKEPFRDYVDRFYKTLRAEQASQEVKNWMTETL")
    labels = contact_labels(place_chain(chain, "GG" + chain.letters, "1A8O.cif", "here"))
    assert (labels[0] == UNKNOWN).all() and (np.diag(labels)[2:] == CONTACT).all()


def test_missing_residues_are_unknown_by_their_numbers():
    places = np.arange(9.0).reshape(3, 3) * 10
    chain = Chain("MAG", np.array([5, 6, 9]), places)
    found = place_chain(chain, "XMAKKGX", "f.pdb", "here")
    assert np.isnan(found[:, 0]).tolist() == [True, False, False, True, True, False, True]
    assert found[5].tolist() == places[2].tolist()
    assert np.isnan(place_chain(Chain("MAG", np.array([5, 6, 99]), places), "MAG", "f.pdb", "here")).sum() == 0


def test_contact_is_nearer_than_eight_angstrom():
    labels = contact_labels(np.array([[0.0, 0, 0], [7.99, 0, 0], [0, 8.0, 0], [np.nan] * 3]))
    assert labels.tolist() == [
        [CONTACT, CONTACT, APART, UNKNOWN],
        [CONTACT, CONTACT, APART, UNKNOWN],
        [APART, APART, CONTACT, UNKNOWN],
        [UNKNOWN] * 4,
    ]


BAD = {
    "protein": ("x.pdb:A", "GCTGCTGCTGCT", "x.pdb does not fit the sequence: at the best place 1 of 3"),
    "short": ("x.pdb:A", "ATGGCT", "does not fit"),
    "chain": ("x.pdb:Z", "ATGGCTGGT", 'no chain "Z"; there are A'),
    "colon": ("x.pdb", "ATGGCTGGT", "expected FILE:CHAIN"),
    "codons": ("x.pdb:A", "ATGGCTGGTA", "no whole codons"),
    "nothing": ("n.pdb:A", "ATGGCTGGT", "n.pdb holds no structure"),
}


@pytest.mark.parametrize("kind", BAD)
def test_structure_that_does_not_fit_is_an_error_with_its_place(tmp_path, kind):
    rows = [(1, "CA", "MET", 1, 0, 0, 0), (2, "CA", "ALA", 2, 4, 0, 0), (3, "CA", "GLY", 3, 8, 0, 0)]
    (tmp_path / "x.pdb").write_text("".join(LINE.format(*row) for row in rows) + "END\n")
    (tmp_path / "n.pdb").write_text("no atoms\n")
    label, dna, message = BAD[kind]
    with pytest.raises(DataError, match=message) as raised:
        read_contacts(LabelledSequence("x", encode_bases(dna), label, "", "t.tsv line 2"), tmp_path, 1)
    assert raised.value.where == "t.tsv line 2"


def test_missing_structure_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.pdb"):
        read_contacts(LabelledSequence("x", encode_bases("ATG"), "none.pdb:A", "", "t.tsv line 2"), tmp_path, 1)


def test_planted_contacts_have_codons_of_their_own():
    chains = plant_contacts(30, n_codons=40, n_contacts=8, seed=1)
    seen: dict[int, set] = {}
    for chain in chains:
        codons = chain.codes.reshape(-1, 3) @ np.array([16, 4, 1])
        i, j = np.nonzero(np.triu(chain.labels == CONTACT))
        assert len(i) == 8 and (j - i >= 6).all() and "*" not in translate(chain.codes, 1)
        for a, b in zip(codons[i], codons[j], strict=True):
            seen.setdefault(int(a), set()).add(int(b))
            assert (codons == a).sum() == (codons == b).sum() == 1
    assert all(len(partners) == 1 for partners in seen.values()) and len(seen) == 8
