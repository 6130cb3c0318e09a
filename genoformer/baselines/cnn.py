"""A small convolutional network on bases: two layers, the largest value of each channel, one output layer."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from genoformer.tasks.function import Function

N_CHANNELS, WIDTH = 64, 9
N_EPOCHS, BATCH_SIZE = 12, 64
MAX_BP = 900
"""What is read of longer sequences; one thread shall need no more than a minute or two."""
UNKNOWN = 4


class SmallCnn(nn.Module):
    """Bases [B, L] to outputs [B, C].

    Args:
        n_outputs: C.
    """

    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(UNKNOWN, N_CHANNELS, WIDTH, padding=WIDTH // 2)
        self.second = nn.Conv1d(N_CHANNELS, N_CHANNELS, WIDTH, padding=WIDTH // 2)
        self.dropout, self.output = nn.Dropout(0.3), nn.Linear(N_CHANNELS, n_outputs)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes [B, L], 4 for unknown bases and padding, to [B, C]."""
        bases = torch.eye(UNKNOWN + 1)[codes.clamp(max=UNKNOWN)][..., :UNKNOWN].transpose(1, 2)
        hidden = nn.functional.max_pool1d(torch.relu(self.first(bases)), 2, ceil_mode=True)
        return self.output(self.dropout(torch.relu(self.second(hidden)).amax(dim=2)))


def fit_cnn(task: Function, train: tuple, validation: tuple, seed: int):
    """Train, and keep the epoch with the lowest validation loss.

    Args:
        task: Gives the loss.
        train: Sequences and targets.
        validation: The same.
        seed: Of weights and order.

    Returns:
        A function from sequences to outputs [n, C].
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = SmallCnn(len(task.channels))
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
        best, kept = np.inf, model.state_dict()
        for _ in range(N_EPOCHS):
            _train_epoch(task, model, optimizer, *train)
            with torch.no_grad():
                outputs = torch.from_numpy(_outputs(model, validation[0]))
                cost = float(task.loss(outputs, torch.from_numpy(validation[1])))
            if cost < best:
                best, kept = cost, {name: tensor.clone() for name, tensor in model.state_dict().items()}
        model.load_state_dict(kept)
    return lambda sequences: _outputs(model, sequences)


def _train_epoch(task: Function, model: SmallCnn, optimizer, sequences: Sequence[np.ndarray], targets: np.ndarray):
    model.train()
    order = np.argsort([len(codes) for codes in sequences], kind="stable")
    batches = [order[i : i + BATCH_SIZE] for i in range(0, len(order), BATCH_SIZE)]
    for i in torch.randperm(len(batches)).tolist():
        optimizer.zero_grad()
        outputs = model(_padded([sequences[j] for j in batches[i]]))
        task.loss(outputs, torch.from_numpy(targets[batches[i]])).backward()
        optimizer.step()


def _outputs(model: SmallCnn, sequences: Sequence[np.ndarray]) -> np.ndarray:
    model.eval()
    with torch.no_grad():
        batches = (sequences[i : i + BATCH_SIZE] for i in range(0, len(sequences), BATCH_SIZE))
        return torch.cat([model(_padded(batch)) for batch in batches]).numpy()


def _padded(sequences: Sequence[np.ndarray]) -> Tensor:
    cut = [codes[:MAX_BP] for codes in sequences]
    padded = np.full((len(cut), max(WIDTH, *map(len, cut))), UNKNOWN, np.int64)
    for row, codes in zip(padded, cut, strict=True):
        row[: len(codes)] = codes
    return torch.from_numpy(padded)
