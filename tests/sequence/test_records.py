import hashlib
import pickle

from genoformer.sequence.alphabet import encode_bases
from genoformer.sequence.records import Record, SequenceDigest


def digest(*records):
    sequence_digest = SequenceDigest()
    for record in records:
        sequence_digest.update(record)
    return sequence_digest.hexdigest()


def record(name, letters, description=""):
    return Record(name, encode_bases(letters), description)


def test_digest_is_sha256_of_id_length_and_upper_case_bases():
    assert digest(record("a", "acgu")) == hashlib.sha256(b"a\x004\x00ACGT").hexdigest()


def test_digest_ignores_case_u_and_description():
    assert digest(record("a", "ACGT")) == digest(record("a", "acgu", "words"))


def test_digest_tells_ids_bases_order_and_borders_apart():
    a, b = record("a", "ACGT"), record("b", "AC")
    others = [digest(b, a), digest(a), digest(record("a", "ACG"), record("b", "TAC")), digest(record("ab", "ACGTAC"))]
    assert digest(a, b) not in others


def test_digest_of_a_long_record_does_not_depend_on_its_blocks():
    letters = "GATTACA" * 300_000
    assert digest(record("a", letters)) == hashlib.sha256(f"a\0{len(letters)}\0{letters}".encode()).hexdigest()


def test_record_has_a_length_and_travels_between_processes():
    copy = pickle.loads(pickle.dumps(record("a", "ACGTN", "words")))
    assert (copy.id, len(copy), copy.codes.tolist(), copy.description) == ("a", 5, [0, 1, 2, 3, 4], "words")
