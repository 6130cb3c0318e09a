"""Residue contacts from PDB and mmCIF files: which residues of a chain have their Cβ atoms less than 8 Å apart."""

import re
import warnings
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from Bio.PDB import MMCIFParser, PDBParser
from Bio.PDB.Model import Model
from Bio.PDB.Residue import Residue
from Bio.SeqUtils import seq1

from genoformer.annotation.text_lines import LineHandle, read_lines
from genoformer.errors import DataError, GenoformerError

CONTACT_ANGSTROM = 8.0
"""Distance of Cβ atoms (Cα of glycine) below which residues are in contact, as in CASP (Monastyrskyy et al. 2014)."""
MIN_IDENTITY = 0.95
"""Share of a chain's residues that must be those of the protein; tags and a mutation may differ."""
UNKNOWN, APART, CONTACT = -1, 0, 1
MOST_BYTES = 1 << 27
"""Of a structure file: a hundred thousand atoms, the most that PDB can number, take eight million."""
PDB_RECORDS = ("MODEL", "ATOM", "HETATM", "TER", "ENDMDL", "END")
"""What says where atoms are; Biopython takes apart remarks, too, and longer the more there are of them."""
MOST_NUMBER = 10**9
"""Of a residue: PDB has four digits, mmCIF no limit."""


@dataclass(frozen=True, eq=False)
class Chain:
    """The residues of a chain that have coordinates.

    Attributes:
        letters: One-letter names.
        numbers: Numbers in the file, int64 [n].
        places: Cβ atoms, Cα where there is none, in Å, float64 [n, 3].
    """

    letters: str
    numbers: np.ndarray
    places: np.ndarray


def read_chain(path: str | Path, name: str, where: str) -> Chain:
    """A chain of a PDB or mmCIF file, plain or gzip; the first model of several.

    Args:
        path: The file; .cif in its name says mmCIF.
        name: Of the chain.
        where: Who asks for it, for messages.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If it cannot be read, or has no such chain with residues.
    """
    path = Path(path)
    model = _first_model(path, where)
    if name not in model:
        known = ", ".join(chain.id for chain in model)
        raise DataError("CONTACTS-002", f'{path} has no chain "{name}"; there are {known}.', where=where)
    # A calcium ion is a residue called CA, as its atom is; amino acids have three letters, in mmCIF also five.
    residues = [residue for residue in model[name] if "CA" in residue and len(residue.get_resname().strip()) > 2]
    if not residues:
        raise DataError("CONTACTS-002", f'chain "{name}" of {path} has no residues.', where=where)
    atoms = [residue["CB"] if "CB" in residue else residue["CA"] for residue in residues]
    numbers, places = [residue.id[1] for residue in residues], np.array([atom.coord for atom in atoms], np.float64)
    if max(map(abs, numbers)) > MOST_NUMBER or not np.isfinite(places).all():
        message = f'chain "{name}" of {path} has a residue with a number or coordinates that cannot be.'
        raise DataError("CONTACTS-001", message, where=where)
    return Chain("".join(map(_letter, residues)), np.array(numbers), places)


def _letter(residue: Residue) -> str:
    name = residue.get_resname().strip()
    return seq1(name, custom_map={"MSE": "M"}) if len(name) == 3 else "X"


def _first_model(path: Path, where: str) -> Model:
    is_cif, numbers = ".cif" in path.name, array("q")
    parser = MMCIFParser(QUIET=True) if is_cif else PDBParser(QUIET=True)
    lines = LineHandle(_lines(path, where, () if is_cif else PDB_RECORDS, numbers))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return next(iter(parser.get_structure(path.name, lines)))
    except GenoformerError:
        raise
    except Exception as error:  # Biopython raises ValueError, IndexError, its own and others for bad files
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        if (found := re.search(r"(?<=at line )[0-9]{1,9}", reason)) and 0 < int(found[0]) <= len(numbers):
            reason = f"{reason[: found.start()]}{numbers[int(found[0]) - 1]}{reason[found.end() :]}"
        raise DataError("CONTACTS-001", f"{path} holds no structure ({reason}).", where=where) from error


def _lines(path: Path, where: str, records: tuple[str, ...], numbers: array) -> Iterator[str]:
    """Lines of a structure file that begin so, all where ``records`` is empty; their numbers are noted."""
    n_letters = 0
    for number, line in read_lines(path):
        n_letters += len(line) + 1
        if n_letters > MOST_BYTES:
            message = f"{path} is longer than {MOST_BYTES:,} bytes."
            raise DataError("CONTACTS-006", message, where=where, fix="Give the file of this chain alone.")
        if not records or line.startswith(records):
            numbers.append(number)
            yield line


def place_chain(chain: Chain, protein: str, path: str | Path, where: str) -> np.ndarray:
    """Coordinates of every residue of a protein, NaN where the chain has none; float64 [T, 3].

    The numbers of the chain decide which residues are missing; if they fit nowhere, its residues stand side by side.

    Args:
        chain: Of a structure file.
        protein: One-letter amino acids, T.
        path: The file, for messages.
        where: Who asks for it, for messages.

    Raises:
        DataError: If the chain fits nowhere.
    """
    best, kept = 0, None
    for numbers in (chain.numbers - chain.numbers.min(), np.arange(len(chain.letters))):
        if len(set(numbers.tolist())) < len(numbers):
            continue
        for shift in range(len(protein) - int(numbers.max())):
            same = sum(protein[i] == letter for i, letter in zip(numbers + shift, chain.letters, strict=True))
            if same > best:
                best, kept = same, numbers + shift
    if best < MIN_IDENTITY * len(chain.letters):
        raise DataError(
            "CONTACTS-003", f"{path} does not fit the sequence: at the best place {best} of {len(chain.letters)} "
            "residues agree.", where=where, fix="Give the structure of this protein.",
        )  # fmt: skip
    places = np.full((len(protein), 3), np.nan)
    places[kept] = chain.places
    return places


def contact_labels(places: np.ndarray) -> np.ndarray:
    """CONTACT or APART of every two residues, UNKNOWN where one has no coordinates; int8 [T, T].

    Args:
        places: Å, float64 [T, 3].
    """
    distances = np.linalg.norm(places[:, None] - places[None, :], axis=2)
    labels = np.where(distances < CONTACT_ANGSTROM, CONTACT, APART)
    return np.where(np.isnan(distances), UNKNOWN, labels).astype(np.int8)
