"""``model.embed`` gives the vectors of ``genoformer embed`` for whatever holds sequences."""

import numpy as np
import pytest

from genoformer.cli.main import main
from genoformer.errors import UsageError
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.fasta import write_fasta


@pytest.mark.parametrize("name", ["mlm", "gene_structure", "multiclass"])
@pytest.mark.parametrize(
    "options", [{}, {"per": "window", "window_bp": 20, "layer": 0}, {"per": "base", "strand": "average"}], ids=str
)
def test_vectors_are_those_of_the_command(name, options, model_of, folder_of, short_records, tmp_path):
    write_fasta(tmp_path / "in.fa", short_records)
    words = [word for key, value in options.items() for word in (f"--{key.replace('_', '-')}", str(value))]
    command = ["embed", str(tmp_path / "in.fa"), "--model", str(folder_of(name)), "-o", str(tmp_path / "o")]
    assert main([*command, *words]) == 0
    stored = np.load(tmp_path / "o/embeddings.npz")
    found = list(model_of(name).embed({r.id: decode_bases(r.codes) for r in short_records}, **options))
    assert [one.record_id for one in found] == stored["ids"].tolist()
    np.testing.assert_array_equal(np.concatenate([one.rows.values for one in found]), stored["embeddings"])
    np.testing.assert_array_equal(np.concatenate([one.rows.starts for one in found]), stored["starts"])


def test_a_layer_that_is_not_there_and_windows_without_length_are_refused(model_of):
    with pytest.raises(UsageError, match="EMBED-001"):
        model_of("mlm").embed({"a": "ACGT"}, layer=9)
    with pytest.raises(UsageError, match="EMBED-002"):
        model_of("mlm").embed({"a": "ACGT"}, per="window")
