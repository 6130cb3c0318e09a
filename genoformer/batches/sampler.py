"""Which samples a batch holds: counted through the whole run, so that training resumes anywhere."""

from collections.abc import Iterator

from torch.utils.data import Sampler


class RunSampler(Sampler[list[int]]):
    """Batches of global sample indices.

    Epoch ``e`` covers samples ``[e * n, (e + 1) * n)``, n = batches per epoch × ``batch_size`` × ``world_size``. Each
    iteration begins where the sampler stands; its length is always that of a whole epoch.

    Args:
        samples_per_epoch: What does not fill a batch of all processes is left out.
        batch_size: Samples of one batch of one process.
        rank: Number of this process.
        world_size: Number of processes that train together.

    Raises:
        ValueError: If an epoch holds no batch.
    """

    def __init__(self, samples_per_epoch: int, batch_size: int, *, rank: int = 0, world_size: int = 1) -> None:
        self.n_batches = samples_per_epoch // (batch_size * world_size)
        if self.n_batches < 1:
            raise ValueError(f"{samples_per_epoch} samples hold no batch of {batch_size} × {world_size}")
        self.batch_size, self.rank, self.world_size = batch_size, rank, world_size
        self.epoch, self.batch = 0, 0

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[list[int]]:
        return self._batches(self.epoch, self.batch)

    def _batches(self, epoch: int, first: int) -> Iterator[list[int]]:
        for batch in range(first, self.n_batches):
            step = epoch * self.n_batches + batch
            start = (step * self.world_size + self.rank) * self.batch_size
            yield list(range(start, start + self.batch_size))

    def state_dict(self) -> dict[str, int]:
        """Where the next iteration begins."""
        return {"epoch": self.epoch, "batch": self.batch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue at ``batch`` of ``epoch``.

        Raises:
            ValueError: If the epoch has no such batch.
        """
        if not 0 <= state["batch"] <= self.n_batches or state["epoch"] < 0:
            raise ValueError(f"expected a batch from 0 to {self.n_batches}, found {state}")
        self.epoch, self.batch = state["epoch"], state["batch"]
