"""The folder of a prediction: what a killed run left half written goes, and nothing else."""

from genoformer.inference.folder import held_folder


def test_what_a_killed_run_left_goes_also_where_patterns_of_results_overlap(tmp_path):
    kept = ("logo-0001.png", ".logo.tmp", "notes.tmp")
    for name in (*kept, ".logo-0001.png.0123456789ab.tmp", ".logo-0002.png.0123456789ab.tmp"):
        (tmp_path / name).write_text(name)
    with held_folder(tmp_path, ("logo-0001.png", "logo-*.png")):
        assert {path.name for path in tmp_path.iterdir() if path.is_file()} - {".genoformer.lock"} == set(kept)
