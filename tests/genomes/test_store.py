"""The store: what is written is read, in any process; what is damaged, incomplete or elsewhere is refused."""

import multiprocessing
import os
import pickle
import time

import h5py
import numpy as np
import pytest
from children import PATIENCE_S

from genoformer.errors import DataError, GenoformerError, MissingFileError
from genoformer.genomes.store import Store, StoredRecord, write_store
from genoformer.sequence.records import Record, SequenceDigest

GENE_DTYPE = np.dtype([("start", "i8"), ("end", "i8"), ("strand", "i1"), ("masked", "?")])


def source(genome="ecoli", id="c1", length=50_000, seed=0, genes=3, circular=True, genetic_code=11):
    rng = np.random.default_rng(seed)
    table = np.zeros(genes, GENE_DTYPE)
    table["start"], table["end"], table["strand"] = np.arange(genes) * 10, np.arange(genes) * 10 + 9, 1
    tracks = rng.integers(0, 256, (2, length), dtype=np.uint8)
    return genome, Record(id, rng.integers(0, 15, length, dtype=np.uint8)), tracks, table, circular, genetic_code


@pytest.fixture()
def sources():
    return [
        source(),
        source(id="p1", length=7, seed=1, genes=0, circular=False),
        source("myco", "c1", 20_000, 2, 1, True, 4),
    ]


@pytest.fixture()
def path(tmp_path, sources):
    write_store(tmp_path / "data.h5", iter(sources), {"k": 6, "name": "é"})
    return tmp_path / "data.h5"


def test_store_gives_back_what_was_written(path, sources):
    store = Store(path)
    digest = SequenceDigest()
    for index, (genome, record, tracks, genes, circular, code) in enumerate(sources):
        digest.update(record)
        n = len(record)
        assert store.records[index] == StoredRecord(index, genome, record.id, n, circular, code)
        np.testing.assert_array_equal(store.bases(index, 0, n), record.codes)
        np.testing.assert_array_equal(store.tracks(index, 0, n), tracks)
        np.testing.assert_array_equal(store.genes(index), genes)
        assert store.genes(index).dtype == GENE_DTYPE
    assert store.sequence_digest == digest.hexdigest()
    assert store.parameters == {"k": 6, "name": "é"}


@pytest.mark.parametrize(("start", "end"), [(0, 0), (0, 1), (16_383, 16_385), (16_384, 32_768), (49_999, 50_000)])
def test_crop_equals_the_slice(path, sources, start, end):
    store = Store(str(path))
    np.testing.assert_array_equal(store.bases(0, start, end), sources[0][1].codes[start:end])
    np.testing.assert_array_equal(store.tracks(0, start, end), sources[0][2][:, start:end])


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 4), (0, 50_001)])
def test_crop_outside_the_record_is_refused(path, start, end):
    with pytest.raises(ValueError, match="50000 bp"):
        Store(path).bases(0, start, end)
    with pytest.raises(ValueError, match="50000 bp"):
        Store(path).tracks(0, start, end)


def test_same_input_gives_the_same_bytes(tmp_path, sources):
    write_store(tmp_path / "a.h5", sources, {"x": 1})
    time.sleep(1.1)  # HDF5 can write times in whole seconds
    write_store(tmp_path / "b.h5", sources, {"x": 1})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_nothing_remains_when_a_source_fails(tmp_path):
    def failing():
        yield source()
        raise DataError("X-001", "stop")

    with pytest.raises(DataError, match="X-001"):
        write_store(tmp_path / "data.h5", failing(), {})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("bad", "error", "match"),
    [
        (lambda: [], DataError, "STORE-002"),
        (lambda: [source(), source()], DataError, "STORE-001.*c1"),
        (lambda: [source(id="empty", length=0)], DataError, "STORE-003.*empty"),
        (lambda: [(*source()[:2], np.zeros((2, 5), np.uint8), *source()[3:])], ValueError, r"\(2, 5\)"),
    ],
)
def test_sources_that_make_no_store_are_refused(tmp_path, bad, error, match):
    with pytest.raises(error, match=match):
        write_store(tmp_path / "data.h5", bad(), {})
    assert os.listdir(tmp_path) == []


def test_pickled_store_reads_again(path, sources):
    store = Store(path)
    store.bases(0, 0, 10)
    copy = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(copy.bases(0, 0, 10), sources[0][1].codes[:10])
    assert copy.records == store.records


def _sum_of_crops(store, seed):
    rng = np.random.default_rng(seed)
    return sum(int(store.bases(0, s, s + 500).sum()) for s in rng.integers(0, 49_500, 300).tolist())


def _child(store, seed, queue):
    queue.put((_sum_of_crops(store, seed), store._pid == os.getpid()))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children_open_their_own_handle(path, sources, method):
    store = Store(path)
    store.bases(0, 0, 10)
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    children = [context.Process(target=_child, args=(store, seed, queue)) for seed in (1, 2)]
    for child in children:
        child.start()
    here = _sum_of_crops(store, 3)
    answers = [queue.get(timeout=PATIENCE_S) for _ in children]
    for child in children:
        child.join()
    codes = sources[0][1].codes
    expected = {
        seed: sum(int(codes[s : s + 500].sum()) for s in np.random.default_rng(seed).integers(0, 49_500, 300).tolist())
        for seed in (1, 2, 3)
    }
    assert here == expected[3]
    assert sorted(answers) == sorted([(expected[1], True), (expected[2], True)])


def test_closed_store_opens_again(path, sources):
    store = Store(path)
    store.genes(0)
    store.close()
    np.testing.assert_array_equal(store.genes(0), sources[0][3])


def edit(path, change):
    with h5py.File(path, "r+") as file:
        change(file)


def _external_dataset(file):
    del file["records/00000001/bases"]
    file["records/00000001"].create_dataset("bases", (7,), "u1", external=[("/etc/hostname", 0, 7)])


def _virtual_dataset(file):
    del file["records/00000001/bases"]
    layout = h5py.VirtualLayout((7,), "u1")
    layout[:] = h5py.VirtualSource("other.h5", "bases", (7,))
    file["records/00000001"].create_virtual_dataset("bases", layout)


def _replace(name, make):
    def change(file):
        del file[name]
        file[name] = make(file)

    return change


def _unchecked(file):
    del file["records/00000001/bases"]
    file["records/00000001/bases"] = np.zeros(7, np.uint8)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda f: f.attrs.__delitem__("complete"), "completeness"),
        (lambda f: f.attrs.__setitem__("complete", False), "completeness"),
        (lambda f: f.attrs.__setitem__("schema", 99), "schema 1, found 99"),
        (lambda f: f.attrs.__setitem__("schema", "one"), "attributes"),
        (lambda f: f.attrs.__setitem__("parameters", "{"), "attributes"),
        (lambda f: f.attrs.__setitem__("n_records", 4), "00000003"),
        (lambda f: f["records/00000000"].attrs.__delitem__("length"), "length"),
        (lambda f: f["records/00000000"].attrs.__setitem__("length", 5), "shape"),
        (_replace("records/00000001", lambda f: h5py.SoftLink("/records/00000000")), "is a link"),
        (_replace("records/00000001/bases", lambda f: h5py.SoftLink("/records/00000000/bases")), "is a link"),
        (_replace("records/00000001/bases", lambda f: h5py.ExternalLink("x.h5", "/bases")), "is a link"),
        (_replace("records", lambda f: h5py.ExternalLink("x.h5", "/records")), "is a link"),
        (_replace("records/00000001/genes", lambda f: np.zeros(3)), "checksum|type"),
        (_external_dataset, "another file"),
        (_virtual_dataset, "another file"),
        (_unchecked, "checksum"),
    ],
)
def test_altered_store_is_refused(path, change, match):
    edit(path, change)
    with pytest.raises(DataError, match=match):
        Store(path)


def test_missing_file_and_folder_are_missing(tmp_path):
    for name in ("no.h5", "."):
        with pytest.raises(MissingFileError, match="STORE-004"):
            Store(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b">chr1\nACGT\n", b"\x89HDF\r\n\x1a\n" + bytes(50)])
def test_file_that_is_not_hdf5_is_refused(tmp_path, content):
    (tmp_path / "x.h5").write_bytes(content)
    with pytest.raises(DataError, match="STORE-005"):
        Store(tmp_path / "x.h5")


def test_file_cut_short_is_refused(path):
    whole = path.read_bytes()
    for keep in (len(whole) // 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:keep])
        with pytest.raises(DataError, match="STORE-005"):
            Store(path)


def test_flipped_bit_in_the_bases_is_noticed_and_named(path, sources):
    content = bytearray(path.read_bytes())
    at = content.find(sources[0][1].codes[20_000:20_100].tobytes())
    content[at] ^= 1
    path.write_bytes(content)
    store = Store(path)
    store.bases(0, 0, 100)
    with pytest.raises(DataError, match="bases of record 'c1'"):
        store.bases(0, 20_000, 20_010)


def test_flipped_bits_anywhere_never_end_in_a_traceback(path, sources):
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for at, bit in zip(rng.integers(0, len(content), 300).tolist(), rng.integers(0, 8, 300).tolist(), strict=True):
        damaged = bytearray(content)
        damaged[at] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            store = Store(path)
            for record in store.records:
                store.bases(record.index, 0, record.length)
                store.tracks(record.index, 0, record.length)
                store.genes(record.index)
            store.close()
        except GenoformerError:
            continue


@pytest.mark.parametrize(
    ("name", "value"), [("id", "c9"), ("genome", "other"), ("circular", False), ("genetic_code", 4)]
)
def test_changed_attributes_of_a_record_are_noticed(path, name, value):
    with h5py.File(path, "r+") as file:
        file["records/00000000"].attrs[name] = value
    with pytest.raises(DataError, match="does not match its checksum"):
        Store(path)


def test_what_a_store_says_lies_where_a_flipped_bit_is_found(path):
    """HDF5 has no checksum for texts of any length, and a flipped bit among them may make it read forever."""
    assert b"GCOL" not in path.read_bytes()


def test_a_store_with_texts_of_any_length_is_read_and_its_damaged_heap_is_one_error(path):
    with h5py.File(path, "r+") as file:
        groups = [file, *file["records"].values()]
        for group in groups:
            for name, value in group.attrs.items():
                if isinstance(value, bytes):
                    group.attrs[name] = value.decode()
    data = bytearray(path.read_bytes())
    assert Store(path).parameters and data.count(b"GCOL") == 1
    data[data.index(b"GCOL") + 30] ^= 1  # the first text would have 2^48 letters
    path.write_bytes(data)
    with pytest.raises(DataError, match="STORE-005"):
        Store(path)
