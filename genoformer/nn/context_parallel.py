"""One sequence over several processes: each holds a share of the tokens and runs every layer on it.

Before each attention layer a process receives the tokens within reach of its window from its neighbours: the halo. The
global tokens are on every process; each computes their attention over its own tokens, and the partial sums are added.
Nothing else is exchanged, so that communication does not grow with the length. Forward pass only.
"""

import copy

import torch
import torch.distributed as dist
from torch import Tensor, nn

from genoformer.nn.attention.interface import Attention, Kept
from genoformer.nn.attention.masks import TokenRoles, token_roles
from genoformer.nn.encoder import Encoder

GLOBAL_PROJECTIONS = ("query_global", "key_global", "value_global")


class ContextParallelEncoder(nn.Module):
    """An encoder whose tokens lie on the processes of a group, in the order of their ranks; it shares the weights.

    Args:
        encoder: The encoder, in evaluation mode; attention of a known reach, without embeddings of single bases.
        group: Process group; None for all processes.

    Raises:
        ValueError: If attention reaches everything or lacks projections of global queries, or if the encoder has a base
            embedding or amino acids.
    """

    def __init__(self, encoder: Encoder, group: dist.ProcessGroup | None = None) -> None:
        super().__init__()
        _check_can_be_shared(encoder)
        self.encoder, self.group, self.n_global = encoder, group, encoder.config.n_global_tokens
        self.layers = [
            _with_attention(layer, HaloAttention(attention, encoder, group))
            for layer, attention in zip(encoder.layers, encoder.attentions(), strict=True)
        ]

    @torch.inference_mode()
    def forward(self, global_ids: Tensor, token_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states of the global tokens and of this process's tokens.

        Args:
            global_ids: int64 [B, G], the same on every process.
            token_ids: int64 [B, T] of this process, all real; at least as many as a window reaches to one side.

        Returns:
            Global tokens [B, G, D], the same on every process, and own tokens [B, T, D].

        Raises:
            ValueError: If a share is shorter than the reach of a window, or G is not the number of the encoder.
        """
        if global_ids.shape[1] != self.n_global:
            raise ValueError(f"expected {self.n_global} global tokens, found {global_ids.shape[1]}.")
        hidden = torch.cat((self.encoder.token_embedding(global_ids), self._embed(token_ids)), dim=1)
        if isinstance(self.encoder.position_embedding, nn.Embedding):
            hidden = hidden + self._positions(self.encoder.position_embedding.weight, token_ids.shape[1])
        hidden = self.encoder.embedding_norm(hidden)
        for layer in self.layers:
            hidden, _ = layer(hidden, roles=TokenRoles(), rotary=None)  # the attention of a layer makes its own
        hidden = self.encoder.final_norm(hidden)
        return hidden[:, : self.n_global], hidden[:, self.n_global :]

    def _embed(self, token_ids: Tensor) -> Tensor:
        hidden = self.encoder.token_embedding(token_ids)
        if self.encoder.convolution is None:
            return hidden
        left, right = exchange_halo(hidden, self.encoder.config.conv_width // 2, self.group)
        mixed = self.encoder.convolution(torch.cat((left, hidden, right), dim=1), TokenRoles())
        return mixed[:, left.shape[1] : left.shape[1] + hidden.shape[1]]

    def _positions(self, table: Tensor, n_tokens: int) -> Tensor:
        counts = [torch.zeros(1, dtype=torch.int64) for _ in range(dist.get_world_size(self.group))]
        dist.all_gather(counts, torch.tensor([n_tokens]), group=self.group)
        begin = self.n_global + int(sum(counts[: dist.get_rank(self.group)]))
        return torch.cat((table[: self.n_global], table[begin : begin + n_tokens]))


class HaloAttention(nn.Module):
    """Attention of own tokens to a window that reaches into the neighbours' shares, and of global tokens to all.

    Args:
        attention: The layer's attention, of a known reach; with global tokens it has ``GLOBAL_PROJECTIONS``.
        encoder: Knows the rotary angles and the number of global tokens.
        group: Process group.
    """

    def __init__(self, attention: Attention, encoder: Encoder, group: dist.ProcessGroup | None) -> None:
        super().__init__()
        self.attention, self.rotary, self.group = attention, encoder.rotary, group
        self.reach = attention.reach_tokens or 0
        self.n_global, self.n_heads = encoder.config.n_global_tokens, encoder.config.n_heads

    def forward(self, hidden: Tensor, *, roles: TokenRoles, rotary: None, kept: Kept = ()) -> Tensor:
        """Hidden [B, G + T, D] of global and own tokens to [B, G + T, D]."""
        G = self.n_global
        shared, own = hidden[:, :G], hidden[:, G:]
        left, right = exchange_halo(own, self.reach, self.group)
        wide = torch.cat((shared, left, own, right), dim=1)
        is_global = (torch.arange(wide.shape[1], device=wide.device) < G).expand(wide.shape[:2])
        # Scores depend on the offset between tokens alone, so that angles may count from the halo.
        angles = None if self.rotary is None else self.rotary(wide.shape[1], dtype=wide.dtype, device=wide.device)
        attended = self.attention(wide, roles=token_roles(None, is_global), rotary=angles)
        begin = G + left.shape[1]
        own = attended[:, begin : begin + own.shape[1]]
        return torch.cat((self._global_rows(hidden), own), dim=1) if G else own

    def keep(self, hidden: Tensor, *, roles: TokenRoles, kept: Kept) -> Kept:
        """Nothing: the processes hold the whole sequence."""
        return ()

    def _global_rows(self, hidden: Tensor) -> Tensor:
        """Output of the global queries over the tokens of all processes, [B, G, D]; see ``LongformerSelfAttention``.

        Each process gives its largest score, and its sums of weights and of weighted tokens; the first process counts
        the global tokens themselves.
        """
        G, n_heads, D = self.n_global, self.n_heads, hidden.shape[2]
        layers = self.attention.projections()
        query_layer, key_layer, value_layer = (layers[name] for name in GLOBAL_PROJECTIONS)
        query = query_layer(hidden[:, :G]).unflatten(-1, (n_heads, -1))  # [B, G, H, d_head]
        absorbed = torch.einsum(
            "bghd,hde->bghe", query * query.shape[-1] ** -0.5, key_layer.weight.view(n_heads, -1, D)
        )
        seen = hidden if dist.get_rank(self.group) == 0 else hidden[:, G:]
        scores = torch.einsum("bghe,bte->bght", absorbed, seen).float()
        largest = scores.amax(-1, keepdim=True)
        dist.all_reduce(largest, dist.ReduceOp.MAX, group=self.group)
        weights = (scores - largest).exp()
        sums = torch.cat((weights @ seen.float()[:, None], weights.sum(-1, keepdim=True)), dim=-1)  # [B, G, H, D + 1]
        dist.all_reduce(sums, group=self.group)
        averages = (sums[..., :-1] / sums[..., -1:]).to(hidden.dtype)
        rows = torch.einsum("bghe,hde->bghd", averages, value_layer.weight.view(n_heads, -1, D))
        return layers["output"](rows.flatten(2) + value_layer.bias)


def exchange_halo(own: Tensor, reach: int, group: dist.ProcessGroup | None) -> tuple[Tensor, Tensor]:
    """The last ``reach`` tokens of the process before and the first of the one behind; none at the ends.

    Args:
        own: [B, T, D] of this process.
        reach: Tokens, at most T.
        group: Process group; the order of ranks is that of the tokens.

    Returns:
        (left, right), each [B, reach, D] or [B, 0, D].

    Raises:
        ValueError: If the share is shorter than the halo.
    """
    if own.shape[1] < reach:
        raise ValueError(f"a process holds {own.shape[1]} tokens, but a window reaches {reach}: use fewer processes.")
    rank, last = dist.get_rank(group), dist.get_world_size(group) - 1
    halos, transfers = [own[:, :0], own[:, :0]], []
    for side, neighbour, edge in ((0, rank - 1, own[:, :reach]), (1, rank + 1, own[:, own.shape[1] - reach :])):
        if not 0 <= neighbour <= last or not reach:
            continue
        halos[side] = torch.empty_like(edge, memory_format=torch.contiguous_format)
        peer = neighbour if group is None else dist.get_global_rank(group, neighbour)
        transfers.append(dist.P2POp(dist.isend, edge.contiguous(), peer, group))
        transfers.append(dist.P2POp(dist.irecv, halos[side], peer, group))
    for request in dist.batch_isend_irecv(transfers) if transfers else []:
        request.wait()
    return halos[0], halos[1]


def _check_can_be_shared(encoder: Encoder) -> None:
    config = encoder.config
    if config.base_embedding or config.amino_acids or config.amino_acid_words:
        raise ValueError("expected an encoder without base_embedding and amino acids.")
    wanted = {"output", *(GLOBAL_PROJECTIONS if config.n_global_tokens else ())}
    if any(one.reach_tokens is None or wanted - set(one.projections()) for one in encoder.attentions()):
        names = ", ".join(sorted(wanted))
        raise ValueError(f"expected attention of a known reach, with {names}, found {config.attention.name}.")


def _with_attention(layer: nn.Module, attention: nn.Module) -> nn.Module:
    """The same layer, sharing its weights, with another attention."""
    twin = copy.copy(layer)
    twin._modules = {**layer._modules, "attention": attention}
    return twin
