"""What else the toy task needs: how it predicts, what is fitted when training has ended, and how it is adapted."""

from dataclasses import dataclass

import islands_task
from islands.caller import IslandFinder, Threshold

from genoformer.applications.adapt.interface import Adaptation
from genoformer.applications.genes.predict import GenePredictor
from genoformer.training.finish import Finish


@dataclass(frozen=True)
class IslandPredictor(GenePredictor):
    """A request and its model."""

    find_with = IslandFinder


FINISH = Finish(lambda bundle, data, precision: {"decoder": Threshold(-1.0).to_dict()})


def _score(finder, bundle, store, regions, labels):
    return {"base_mcc": 0.0, "n_predicted": 0, "n_genes": 0}


ADAPTATION = Adaptation(
    build_task=islands_task.build, find_with=IslandFinder, labels="codons", own_labels=None,
    has_statistics=False, assumes_own_code=False, score=_score,
    decoder=lambda finder, trained: (finder.decoder, "kept"),
)  # fmt: skip
