"""On made-up promoters both methods find the motif."""

import numpy as np
import pytest
from planted_motif import LABELS, MOTIF, made_up, trained_bundle
from sklearn.metrics import roc_auc_score

from genoformer.explain.explainer import Explainer, importance
from genoformer.explain.request import Explaining
from genoformer.explain.target import read_target
from genoformer.sequence.records import Record

LEAST_AUROC = 0.95


@pytest.mark.slow
def test_the_motif_is_found_by_mutagenesis_and_by_integrated_gradients():
    bundle, share_right = trained_bundle()
    assert share_right > 0.95
    asked = Explaining(read_target("promoter", LABELS, "sequence"), ("ism", "ig"))
    explainer = Explainer.from_bundle(bundle, asked, is_exclusive=True, both_strands=False)
    codes, is_promoter, starts = made_up(60, seed=99)
    found, is_motif = [], []
    for row, start in zip(codes[is_promoter], starts[is_promoter], strict=True):
        explanation = explainer.explain(Record("r", row), None, int)
        found.append([importance(explanation.mutagenesis), explanation.gradients])
        is_motif.append((np.arange(len(row)) >= start) & (np.arange(len(row)) < start + len(MOTIF)))
        assert explanation.missing < 0.01
    by_mutagenesis, by_gradients = np.array(found).swapaxes(0, 1)
    assert roc_auc_score(np.ravel(is_motif), by_mutagenesis.ravel()) >= LEAST_AUROC
    assert roc_auc_score(np.ravel(is_motif), by_gradients.ravel()) >= LEAST_AUROC
