"""What is computed in reach of a change is what a pass over the whole changed genome gives, for every change."""

import random

import numpy as np
import pytest
from tiny_intron_bundle import write_tiny_intron_bundle

from genoformer.annotation.flat_files import read_flat_records
from genoformer.applications.genes.variants import GeneVariants
from genoformer.applications.introns.variants import IntronVariants
from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import read_header
from genoformer.errors import WarningLog
from genoformer.inference.interface import Speed
from genoformer.sequence.alphabet import decode_bases, encode_bases, reverse_complement
from genoformer.sequence.records import Record
from genoformer.stream import TilePlan, strand_logits
from genoformer.variants import reach
from genoformer.variants.alleles import Change, trimmed
from genoformer.variants.found_genes import gene_changes, placed
from genoformer.variants.interface import Genome, VariantOptions
from genoformer.variants.reach import StrandReader

TOLERANCE = 2e-4  # float32, sums in another order: logits of up to 20 after four layers
BACTERIA = pytest.param("prokaryotes", marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def lambda_phage(data_dir):
    return next(iter(read_flat_records(data_dir / "genome_phages" / "NC_001416_lambda.gbk.gz")))


def seeded_changes(codes, n, seed=0):
    """Changes at random places, and at both ends."""
    source, text = random.Random(seed), decode_bases(codes)
    changes = [trimmed(0, text[0], "A" if text[0] != "A" else "C"), trimmed(0, text[:3], text[0])]
    changes += [trimmed(len(text) - 1, text[-1], text[-1] + "GAT"), trimmed(len(text) - 4, text[-4:], text[-4])]
    while len(changes) < n:
        place, size = source.randrange(len(text) - 20), source.randint(1, 9)
        base = text[place]
        put = "".join(source.choices("ACGT", k=size))
        ref, alt = source.choice([(base, put[0]), (base, base + put), (text[place : place + 1 + size], base)])
        if ref != alt:
            changes.append(trimmed(place, ref, alt))
    return sorted(changes, key=lambda change: change.start)


def full_pass(bundle, codes, grid=0):
    """Outputs of a whole strand, whose tokens begin at ``grid``; what lies before has none."""
    plan = TilePlan(bundle.config.tile_bp, bundle.config.context_bp, precision="float32")
    pieces = [logits for _, _, logits in strand_logits(bundle.model, bundle.tokenizer, codes[grid:], plan)]
    logits = np.concatenate(pieces)
    return np.concatenate((np.zeros((grid, logits.shape[1]), np.float32), logits))


@pytest.mark.parametrize("dense_bp", [0, 1 << 30])
@pytest.mark.parametrize("model", ["tiny", BACTERIA])
def test_outputs_equal_those_of_the_whole_changed_strand(model, dense_bp, tiny_bundle, lambda_phage, monkeypatch):
    monkeypatch.setattr(reach, "DENSE_BP", dense_bp)
    bundle = load_bundle(read_header(tiny_bundle if model == "tiny" else model))
    codes = lambda_phage.codes[:20_000]
    reader = StrandReader(bundle.model, bundle.tokenizer, codes, "float32")
    changes = seeded_changes(codes, 24)
    assert np.abs(reader.reference(0, len(codes)) - full_pass(bundle, codes)).max() < TOLERANCE
    for change, stretch in zip(changes, reader.changed(changes), strict=True):
        whole = full_pass(bundle, change.applied_to(codes))
        window = reader.window(change, stretch, 0, len(codes))
        assert window.shape == whole.shape
        assert np.abs(window - whole).max() < TOLERANCE


def test_blocks_of_states_of_any_size_give_the_same(tiny_bundle, lambda_phage):
    bundle = load_bundle(read_header(tiny_bundle))
    codes, found = lambda_phage.codes[:3_000], []
    for size in (64, 4096):
        reader = StrandReader(bundle.model, bundle.tokenizer, codes, "float32", block_tokens=size)
        change = Change(1_500, 1_500, encode_bases("A"))
        found.append(reader.window(change, reader.changed([change])[0], 600, 2_500))
    assert np.abs(found[0] - found[1]).max() < TOLERANCE


def judged_by_full_passes(model, record, change):
    """The same question, answered by passes over both strands of both whole genomes."""
    bundle, call = model.finder.bundle, model.call_options(record)
    decode, name = model.decoder(record.codes, call), model._namer(0, record)
    whole = {"is_first": True, "is_last": True}
    changed = change.applied_to(record.codes)
    after = np.stack((full_pass(bundle, changed), full_pass(bundle, reverse_complement(changed))[::-1]))
    grid = -change.growth_bp % bundle.config.stride
    sides = []
    n = len(record.codes)
    for codes, turn in ((record.codes, change.end), (reverse_complement(record.codes), n - change.start)):
        turn = max(turn, grid) if grid else n
        sides.append(np.concatenate((full_pass(bundle, codes)[:turn], full_pass(bundle, codes, grid)[turn:])))
    before = np.stack((sides[0], sides[1][::-1]))
    genes = placed(decode(record.codes, before, **whole)), placed(decode(changed, after, **whole), change)
    return [told for told, _ in gene_changes(*genes, change, name, model.options.min_change)]


@pytest.mark.slow
def test_genes_with_introns_equal_those_of_the_whole_changed_genome(lambda_phage, tmp_path, monkeypatch):
    monkeypatch.setattr(IntronVariants, "margin_bp", 6_000)
    header = read_header(write_tiny_intron_bundle(tmp_path / "m"))
    record = Record("lambda", lambda_phage.codes[:30_000])
    model = ready(IntronVariants, header, record, tmp_path)
    assert_same_genes(model, record, seeded_changes(record.codes, 40, seed=2), at_least=4)


def assert_same_genes(model, record, changes, at_least):
    n_told = 0
    for change, said in zip(changes, model.judge(0, record, changes), strict=True):
        expected = judged_by_full_passes(model, record, change)
        assert [(one.effect, one.gene, one.strand, one.moved_bp) for one in said.genes] == [
            (one.effect, one.gene, one.strand, one.moved_bp) for one in expected
        ]
        for one, other in zip(said.genes, expected, strict=True):
            assert one.before == pytest.approx(other.before, abs=1e-3)
            assert one.after == pytest.approx(other.after, abs=1e-3)
        n_told += len(expected)
    assert n_told >= at_least


def ready(kind, header, record, folder):
    model = kind.from_bundle(load_bundle(header), Speed(precision="float32"), VariantOptions(circular=()))
    genome = Genome(lambda: [(0, record)], len(record), asked=frozenset([record.id]))
    model.prepare(genome, folder, lambda n: None, WarningLog())
    return model


@pytest.mark.parametrize(
    ("name", "n", "at_least"), [("tiny", 30, 8), pytest.param("prokaryotes", 14, 1, marks=pytest.mark.slow)]
)
def test_genes_equal_those_of_the_whole_changed_genome(name, n, at_least, tiny_bundle, lambda_phage, tmp_path):
    header = read_header(tiny_bundle if name == "tiny" else name)
    record = Record("lambda", lambda_phage.codes)
    model = ready(GeneVariants, header, record, tmp_path)
    assert_same_genes(model, record, seeded_changes(record.codes, n), at_least)
