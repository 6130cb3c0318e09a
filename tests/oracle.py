"""A network that knows the answer: it finds the sequence it is shown in a genome and gives that stretch's labels."""

import numpy as np
import torch
from torch import nn

from genoformer.annotation.read import read_annotation, read_records
from genoformer.annotation.tracks import gene_table, label_tracks
from genoformer.genomes.store import Store, write_store
from genoformer.sequence.alphabet import reverse_complement
from genoformer.sequence.kmers import KmerTokenizer

TOKENIZER = KmerTokenizer(k=3, stride=1)
KEY_TOKENS = 60


class Oracle(nn.Module):
    """Logits of +5 where a label bit is set and -5 elsewhere, on whichever strand the tokens are from."""

    def __init__(self, codes: np.ndarray, tracks: np.ndarray) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))
        bits = np.array([1, 2, 4, 8, 16], np.uint8)
        logits = np.where(tracks[:, :, None] & bits, 5.0, -5.0).astype(np.float32)
        strands = ((codes, logits[0]), (reverse_complement(codes), logits[1, ::-1].copy()))
        self.strands = [(TOKENIZER.encode(c).astype(np.int64).tobytes(), torch.from_numpy(z)) for c, z in strands]

    def forward(self, token_ids: torch.Tensor) -> torch.Tensor:
        return torch.stack([self._look_up(row) for row in token_ids])

    def _look_up(self, row: torch.Tensor) -> torch.Tensor:
        key = row[:KEY_TOKENS].numpy().tobytes()
        for text, logits in self.strands:
            at = text.find(key)
            while at % 8 and at >= 0:
                at = text.find(key, at + 1)
            if at >= 0:
                return logits[at // 8 : at // 8 + len(row)]
        raise LookupError("this sequence is not of the genome")


def phage_store(path, genbank) -> tuple[Store, Oracle]:
    """A store of one record with its genes, and the network that knows them."""
    (record,) = read_records(genbank)
    genes = read_annotation(genbank).genes
    tracks, _ = label_tracks(record.codes, genes, genetic_code=11)
    table = gene_table(record.codes, genes, genetic_code=11)
    write_store(path, [("phage", record, tracks, table, False, 11)], {})
    return Store(path), Oracle(record.codes, tracks).eval()
