"""Training with ``options.rna``: from an annotation to a bundle with two more outputs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from planted_rna import gff3_of, plant

from genoformer.annotation.read import read_annotation
from genoformer.applications.genes.data import GenomeData
from genoformer.batches.collate import collate_crops
from genoformer.batches.crops import CropDataset, rna_places
from genoformer.bundle.folder import load_bundle
from genoformer.cli.fit import run_lightning
from genoformer.cli.main import main
from genoformer.errors import UsageError
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.nn.attention.longformer import LongformerConfig
from genoformer.nn.config import EncoderConfig
from genoformer.nn.model import build_model
from genoformer.sequence.fasta import write_fasta
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.sequence.records import Record
from genoformer.tasks import gene_structure
from genoformer.training.settings import GenomeAugmentation, ModelReading

TINY = ["--config", "gene_structure_tiny", "--trainer.accelerator", "cpu", "--trainer.max_steps", "2"]


@pytest.fixture
def genome(tmp_path, monkeypatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    codes, genes = plant(np.random.default_rng(0).integers(0, 4, 24_000, dtype=np.uint8), "c", seed=1)
    write_fasta(tmp_path / "g.fa", [Record("c", codes)])
    (tmp_path / "g.gff3").write_text(gff3_of(genes))
    return ["--data.fasta", "g.fa", "--data.annotation", "g.gff3"]


def test_a_run_that_learns_rna_keeps_it_in_store_and_bundle(genome, tmp_path):
    assert run_lightning("fit", [*TINY, *genome, "--model.options", "{rna: true}", "--name", "one"]) == 0
    bundle = load_bundle(tmp_path / "runs/one/model")
    assert bundle.config.labels[5:] == ["rrna", "trna"] and bundle.config.options == {"rna": True}
    assert Store(tmp_path / "runs/one/data.h5").parameters["labels"] == "codons_rna"
    scores = (tmp_path / "runs/one/metrics.csv").read_text()
    assert "val/trna_auprc" in scores and "val/rrna_auprc" in scores


def test_a_store_without_labels_of_rna_is_refused(genome):
    assert main(["prepare", "g.fa", "--annotation", "g.gff3", "-o", "plain.h5"]) == 0
    arguments = [*TINY, "--data.store", "plain.h5", "--model.options", "{rna: true}", "--name", "two"]
    with pytest.raises(UsageError, match="DATA-009"):
        run_lightning("fit", arguments)
    assert main(["prepare", "g.fa", "--annotation", "g.gff3", "-o", "rna.h5", "--labels", "codons_rna"]) == 0
    arguments[arguments.index("plain.h5")] = "rna.h5"
    assert run_lightning("fit", arguments) == 0


def test_crops_are_drawn_to_hold_rna_genes_where_a_region_has_one(genome):
    assert main(["prepare", "g.fa", "--annotation", "g.gff3", "-o", "rna.h5", "--labels", "codons_rna"]) == 0
    store, regions = Store("rna.h5"), [Region(0, 0, 12_000), Region(0, 12_000, 12_400)]
    places = rna_places(store, regions[0])
    named = [gene for gene in read_annotation(Path("g.gff3")).rna_genes if gene.end <= 12_000]
    assert sorted(places.tolist()) == sorted((gene.start + gene.end) // 2 for gene in named) and len(named) > 5

    def drawn(share, n=300):
        crops = CropDataset(
            store, regions, KmerTokenizer(k=6, stride=3), crop_bp=90, seed=1, both_strands=True, rna_crops=share
        )
        return [crops.place(i) for i in range(n)]

    def share_that_holds(found):
        found = [(start, end) for region, start, end, _ in found if region == regions[0]]
        return np.mean([((places >= start) & (places < end)).any() for start, end in found])

    plain, half, every = drawn(0.0), drawn(0.5), drawn(1.0)
    assert share_that_holds(every) == 1 and share_that_holds(plain) < 0.3
    assert 0.4 < share_that_holds(half) < share_that_holds(plain) + 0.6
    assert half == drawn(0.5) and [row[0] for row in half] == [row[0] for row in plain]
    assert all(region.start <= start < end <= region.end for region, start, end, _ in every)
    assert len({start - places[np.argmin(abs(places - start))] for _, start, _, _ in every}) > 50


def test_crops_for_rna_need_a_model_that_learns_it_and_has_no_memory(genome):
    data = ["--data.augment.rna_crops", "0.5", "--name", "x"]
    with pytest.raises(UsageError, match="learns no genes of RNA") as caught:
        run_lightning("fit", [*TINY, *genome, *data])
    assert caught.value.where == "data.augment.rna_crops"
    reading = ModelReading("gene_structure", k=6, stride=3, options={"rna": True}, walks=True)
    with pytest.raises(UsageError, match="memory"):
        GenomeData(augment=GenomeAugmentation(rna_crops=0.5)).bind(reading)


def test_planted_rna_genes_are_learned(genome, tmp_path):
    assert main(["prepare", "g.fa", "--annotation", "g.gff3", "-o", "rna.h5", "--labels", "codons_rna"]) == 0
    tokenizer, task = KmerTokenizer(k=6, stride=3), gene_structure.build((), {"rna": True})
    train, held_out = Region(0, 0, 18_000), Region(0, 18_000, 24_000)
    crops, tiles = (
        CropDataset(Store("rna.h5"), [region], tokenizer, crop_bp=1_536, seed=0, both_strands=True)
        for region in (train, held_out)
    )
    torch.manual_seed(0)
    encoder = EncoderConfig(
        vocab_size=tokenizer.vocab_size, d_model=32, n_heads=2, n_layers=1, d_ff=32, stride=3,
        attention=LongformerConfig(window_radius=16),
    )  # fmt: skip
    model = build_model(encoder, n_channels=7, initial_logits=task.initial_logits)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(60):
        batch = collate_crops([crops[8 * step + i] for i in range(8)], stride=3)
        optimizer.zero_grad()
        task.loss(model(batch["token_ids"], valid_mask=batch["valid_mask"]), batch["labels"]).backward()
        optimizer.step()
    scores = task.build_scores()
    with torch.no_grad():
        batch = collate_crops([tiles[i] for i in range(16)], stride=3)
        scores.update(model.eval()(batch["token_ids"], valid_mask=batch["valid_mask"]), batch["labels"])
    found = scores.compute()
    assert found["trna_auprc"] > 0.8 and found["rrna_auprc"] > 0.8
