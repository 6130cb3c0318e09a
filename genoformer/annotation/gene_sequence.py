"""From a gene model to its bases and its protein."""

import numpy as np

from genoformer.annotation.genetic_code import GeneticCode, codon_indices, get_genetic_code, translate
from genoformer.annotation.models import Gene
from genoformer.sequence.alphabet import N_CODE, reverse_complement

# One-letter names of the amino acids that transl_except adds to the table; INSDC feature table, section 7.4.3.
EXTRA_AMINO_ACIDS = {
    "Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E", "Gly": "G", "His": "H",
    "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F", "Pro": "P", "Ser": "S", "Thr": "T", "Trp": "W",
    "Tyr": "Y", "Val": "V", "Sec": "U", "Pyl": "O", "TERM": "*",
}  # fmt: skip


def coding_positions(gene: Gene, length_bp: int) -> np.ndarray:
    """Forward position of every coding base, in reading direction; over the origin it goes on at 0.

    Args:
        gene: Any gene that is not trans-spliced.
        length_bp: Length of the contig.

    Returns:
        int64 positions, shape [gene.length_bp].

    Raises:
        ValueError: For a trans-spliced gene, whose parts have no order here.
    """
    if gene.trans_spliced:
        raise ValueError(f"gene {gene.id!r} is trans-spliced: its parts are in no reading order")
    positions = np.concatenate([np.arange(start, end) for start, end in gene.parts]) % length_bp
    return positions if gene.strand == "+" else positions[::-1]


def coding_sequence(codes: np.ndarray, gene: Gene) -> np.ndarray:
    """Base codes of the CDS in reading direction, stop codon included.

    Args:
        codes: uint8 base codes of the contig, forward strand, shape [L].
        gene: Any gene that is not trans-spliced.

    Returns:
        uint8 base codes, shape [gene.length_bp].

    Raises:
        ValueError: For a trans-spliced gene.
    """
    positions = coding_positions(gene, len(codes))
    if gene.strand == "+":
        return codes[positions]
    return reverse_complement(codes[positions[::-1]])


def start_codon(codes: np.ndarray, gene: Gene) -> np.ndarray:
    """The first three coding bases in reading direction (N where the gene is shorter), shape [3]."""
    first = coding_sequence(codes, gene)[:3]
    return np.concatenate([first, np.full(3 - len(first), N_CODE, dtype=np.uint8)])


def translate_gene(codes: np.ndarray, gene: Gene, genetic_code: GeneticCode | int) -> str:
    """Protein of a gene: M for a start codon of the table, transl_except applied, ``*`` kept at the end.

    A partial gene is read from its first whole codon to its last.

    Args:
        codes: uint8 base codes of the contig, forward strand, shape [L].
        gene: Any gene that is not trans-spliced.
        genetic_code: The translation table, or its number.

    Raises:
        ValueError: For a trans-spliced gene.
        UsageError: If there is no such table.
    """
    code = get_genetic_code(genetic_code) if isinstance(genetic_code, int) else genetic_code
    frame = coding_sequence(codes, gene)[gene.phase_offset :]
    protein = bytearray(translate(frame, code).encode())
    indices = codon_indices(frame)
    if protein and not gene.partial_5 and indices[0] >= 0 and code.start_mask[indices[0]]:
        protein[0] = ord("M")
    for i, amino_acid in excepted_codons(gene, len(codes)).items():
        if i < len(protein):
            protein[i] = ord(EXTRA_AMINO_ACIDS.get(amino_acid, "X"))
    return protein.decode()


def excepted_codons(gene: Gene, length_bp: int) -> dict[int, str]:
    """Codon number, counted from the first whole codon, of every transl_except, with its amino acid."""
    if not gene.transl_except:
        return {}
    order = {int(p): i for i, p in enumerate(coding_positions(gene, length_bp))}
    found = {}
    for start, _, amino_acid in gene.transl_except:
        place = order.get(start % length_bp)  # any of its bases tells the codon
        if place is not None and place >= gene.phase_offset:
            found[(place - gene.phase_offset) // 3] = amino_acid
    return found
