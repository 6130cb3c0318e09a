"""Which finder a bundle needs: the task decides."""

from genoformer.applications.genes.caller import GeneFinder
from genoformer.applications.introns.caller import TASK, IntronGeneFinder
from genoformer.bundle import Bundle


def find_finder(bundle: Bundle, *, batch_size: int = 2, precision: str | None = None) -> GeneFinder | IntronGeneFinder:
    """A bundle made ready to find genes; arguments and errors as for ``GeneFinder.from_bundle``."""
    kind = IntronGeneFinder if bundle.config.task == TASK else GeneFinder
    return kind.from_bundle(bundle, batch_size=batch_size, precision=precision)
