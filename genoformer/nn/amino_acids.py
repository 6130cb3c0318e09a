"""Embeddings of what codons stand for, added to those of the codons themselves.

Codons are read by the standard code; in others a few codons learn the difference with their own embedding.
"""

import torch
from torch import Tensor, nn

from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.sequence.kmers import N_SPECIAL

NO_ROW = 0
EMBEDDING_STD = 0.5


class AminoAcidEmbedding(nn.Module):
    """One embedding for each amino acid and for stop codons, so that synonymous codons begin alike.

    Special tokens have a row of zeros.

    Args:
        d_model: Width.
    """

    rows: Tensor

    def __init__(self, d_model: int) -> None:
        super().__init__()
        rows, n_rows = _rows_of_tokens()
        self.table = nn.Embedding(n_rows, d_model, padding_idx=NO_ROW)
        self.register_buffer("rows", rows, persistent=False)
        nn.init.normal_(self.table.weight, std=EMBEDDING_STD)
        nn.init.zeros_(self.table.weight[NO_ROW].detach())

    def forward(self, token_ids: Tensor) -> Tensor:
        """Token ids [B, T] to [B, T, D]."""
        return self.table(self.rows[token_ids])


class AminoAcidWords(nn.Module):
    """One embedding for each word of a few amino acids, at the codon that it begins with.

    All begin at zero: words take part as far as they were learned. A word that touches a special token, or the end, has
    the row of zeros.

    Args:
        d_model: Width.
        length: Amino acids of a word.
    """

    rows: Tensor

    def __init__(self, d_model: int, length: int) -> None:
        super().__init__()
        rows, self.n_rows = _rows_of_tokens()
        self.length = length
        self.table = nn.Embedding(self.n_rows**length, d_model, padding_idx=NO_ROW)
        self.register_buffer("rows", rows, persistent=False)
        nn.init.zeros_(self.table.weight)

    def forward(self, token_ids: Tensor) -> Tensor:
        """Token ids [B, T] to [B, T, D]."""
        letters = nn.functional.pad(self.rows[token_ids], (0, self.length - 1), value=NO_ROW)
        T = token_ids.shape[1]
        word, is_whole = torch.zeros_like(token_ids), torch.ones_like(token_ids, dtype=torch.bool)
        for i in range(self.length):
            letter = letters[:, i : i + T]
            word, is_whole = word * self.n_rows + letter, is_whole & (letter != NO_ROW)
        return self.table(word.masked_fill(~is_whole, NO_ROW))


def _rows_of_tokens() -> tuple[Tensor, int]:
    """Row of the letter that each token stands for, 0 for special tokens, and the number of rows."""
    code = get_genetic_code(1).aa
    letters = sorted(set(code))
    return torch.tensor([NO_ROW] * N_SPECIAL + [1 + letters.index(letter) for letter in code]), 1 + len(letters)
