import pytest

from genoformer.annotation.seqids import match_ids, read_seqid_map
from genoformer.errors import DataError, WarningLog


def test_equal_ids_match():
    assert match_ids(["a", "b"], ["b", "a"]) == {"b": "b", "a": "a"}


def test_a_version_on_one_side_only_does_not_matter():
    assert match_ids(["NC_1"], ["NC_1.3"]) == {"NC_1.3": "NC_1"}
    assert match_ids(["NC_1.3"], ["NC_1"]) == {"NC_1": "NC_1.3"}


def test_two_different_versions_are_different_sequences():
    with pytest.raises(DataError, match=r"NC_1\.3.*NC_1\.2.*--seqid-map"):
        match_ids(["NC_1.2"], ["NC_1.3"])


def test_an_exact_match_goes_before_one_without_version():
    assert match_ids(["NC_1", "NC_1.3"], ["NC_1.3"]) == {"NC_1.3": "NC_1.3"}


def test_an_id_that_could_mean_two_sequences_is_refused():
    with pytest.raises(DataError, match="NC_1"):
        match_ids(["NC_1.2", "NC_1.3"], ["NC_1"])


def test_two_ids_that_mean_one_sequence_are_refused():
    with pytest.raises(DataError, match=r"'NC_1' and 'NC_1\.3' both mean"):
        match_ids(["NC_1"], ["NC_1", "NC_1.3"])


def test_a_map_goes_first_and_fasta_records_without_annotation_are_no_error():
    assert match_ids(["chr1", "chr2"], ["1"], {"1": "chr1"}) == {"1": "chr1"}


def test_a_map_to_an_id_that_is_not_there_is_refused():
    with pytest.raises(DataError, match="SEQID-001"):
        match_ids(["chr1"], ["1"], {"1": "chrX"})


def test_a_long_list_of_unmatched_ids_is_shortened():
    with pytest.raises(DataError, match=r"7 sequence ids.*x0, x1, x2, x3, x4, … 7 in all"):
        match_ids(["a"], [f"x{i}" for i in range(7)])


def test_an_annotation_of_more_sequences_is_counted():
    log = WarningLog()
    assert match_ids(["chr2"], ["chr1", "chr2", "chr20"], warnings=log) == {"chr2": "chr2"}
    assert log.counts == {"SEQID-101": 2} and "'chr1'" in log.examples["SEQID-101"]


@pytest.mark.parametrize(
    ("fasta_id", "annotation_id"),
    [("a|1", "a|1 whole header"), ("x%20y", "x y"), ("x y", "x%20y"), ("Chr3", "chr3")],
)
def test_an_id_in_another_spelling_is_refused(fasta_id, annotation_id):
    with pytest.raises(DataError, match="SEQID-001"):
        match_ids(["c", fasta_id], ["c", annotation_id])
    with pytest.raises(DataError, match="as it stands"):
        match_ids(["c", fasta_id], ["c", annotation_id], spelled={annotation_id: "as it stands"})


def test_a_map_file_is_read(tmp_path):
    path = tmp_path / "map.tsv"
    path.write_text("# annotation\tfasta\n1\tchr1\n\nMT\tchrM\n")
    assert read_seqid_map(path) == {"1": "chr1", "MT": "chrM"}


@pytest.mark.parametrize(
    ("text", "message"), [("1 chr1\n", "line 1.*found 1"), ("1\ta\n1\tb\n", "line 2.*'1' comes twice")]
)
def test_a_bad_map_names_the_line(tmp_path, text, message):
    path = tmp_path / "map.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_seqid_map(path)
