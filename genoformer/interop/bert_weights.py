"""A BERT becomes a Longformer: longer positions, global projections, rows in the order of another vocabulary."""

import torch
from torch import Tensor

from genoformer.interop.huggingface_names import GLOBAL, LOCAL, PARTS, POSITIONS, WORDS, State


def bert_to_longformer(state: State, *, rows: list[int], max_tokens: int, n_layers: int, pad_id: int) -> State:
    """The state of a ``BertModel`` as that of a ``LongformerModel``.

    Args:
        state: State of a ``BertModel``.
        rows: For each new token id its row in the old embedding.
        max_tokens: Positions of the Longformer; the old ones are repeated until they are as many.
        n_layers: Layers.
        pad_id: New id of the padding token: positions of a Longformer begin behind it.

    Raises:
        KeyError: With the name of a tensor that is missing.

    Reference:
        Beltagy, Peters and Cohan 2020, Longformer, section 5: positions of RoBERTa copied until 4 096 are full;
        global projections start as copies of the local ones.
    """
    longformer = dict(state)
    longformer[WORDS] = state[WORDS][rows]
    longformer[POSITIONS] = _tile_positions(state[POSITIONS], max_tokens, pad_id + 1)
    for i in range(n_layers):
        for name, name_global in zip(LOCAL, GLOBAL, strict=True):
            for part in PARTS:
                prefix = f"encoder.layer.{i}.attention.self"
                longformer[f"{prefix}.{name_global}.{part}"] = state[f"{prefix}.{name}.{part}"]
    return longformer


def _tile_positions(table: Tensor, max_tokens: int, n_unused: int) -> Tensor:
    """[P, D] to [n_unused + max_tokens, D]: rows of zeros, then the table again and again."""
    tiled = table.repeat(-(-max_tokens // len(table)), 1)[:max_tokens]
    return torch.cat((table.new_zeros(n_unused, table.shape[1]), tiled))
