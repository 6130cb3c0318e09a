"""``genoformer predict`` offers options by kind of model, and refuses those of another kind."""

import argparse
import json
import re
from dataclasses import replace

import pytest
from tiny_function_bundle import write_function_bundle
from tiny_intron_bundle import write_tiny_intron_bundle

from genoformer.applications import APPLICATIONS
from genoformer.bundle.folder import load_bundle, save_bundle
from genoformer.cli import predict as predict_command
from genoformer.cli.main import main

VALUES = {
    "--genetic-code": "4", "--region": "a:1-2", "--circular": "none", "--mask": "m.bed", "--hints": "h.gff",
    "--min-gene-bp": "60", "--isoforms": "2", "--adapt-steps": "3", "--locus-tag": "X",
}  # fmt: skip
GENES = [
    *VALUES, "--across-gaps", "--no-statistics", "--metagenome", "--adapt",
]  # fmt: skip
OF_KINDS = {"genes": GENES, "functions": ["--allow-empty"], "rna_pairs": ["--crossing"]}
SHARED = (
    "--model", "-o", "--formats", "--on-bad-record", "--batch-size", "--precision", "--threads", "--device",
    "--overwrite", "--dry-run", "--shard",
)  # fmt: skip


def groups() -> dict[str, list[str]]:
    """Options of the command by the title of their group."""
    parser = argparse.ArgumentParser(add_help=False)
    predict_command.add_arguments(parser)
    return {
        group.title: [action.option_strings[0] for action in group._group_actions if action.option_strings]
        for group in parser._action_groups
    }


def test_help_lists_options_by_kind_of_model(capsys):
    assert main(["predict", "--help"]) == 0
    said = capsys.readouterr().out
    found = groups()
    of_models = {title: options for title, options in found.items() if title.startswith("models for ")}
    assert all(re.search(rf"^{re.escape(title)}:$", said, re.M) for title, options in of_models.items() if options)
    assert [sorted(options) for options in of_models.values() if options] == [sorted(o) for o in OF_KINDS.values()]
    assert sorted(found["options"]) == sorted(SHARED)
    assert (
        found[predict_command.TABLES] == ["--sequence-column", "--id-column"] and f"{predict_command.TABLES}:" in said
    )
    tasks = [task for title in of_models for task in title.removeprefix("models for ").split(" (")[0].split(", ")]
    assert tasks == [task for task, application in APPLICATIONS.items() if application.request]


@pytest.fixture(scope="module")
def models(tmp_path_factory, tiny_bundle):
    """A model of each kind, so far as options are concerned: those of structures have no weights of their own."""
    folder = tmp_path_factory.mktemp("models")
    functions = write_function_bundle(folder / "function")
    found = {
        "gene_structure": tiny_bundle,
        "gene_structure_eukaryote": write_tiny_intron_bundle(folder / "introns"),
        "function": functions,
    }
    bundle = load_bundle(functions)
    for task in ("rna_pairs", "codon_structure", "contacts"):
        config = replace(bundle.config, task=task)
        save_bundle(folder / task, model=bundle.model, config=config, card="#\n", calibration={})
        found[task] = folder / task
    return found


KIND_OF = {
    "gene_structure": "genes", "gene_structure_eukaryote": "genes", "function": "functions", "rna_pairs": "rna_pairs",
    "codon_structure": None, "contacts": None,
}  # fmt: skip
CASES = [
    (task, option)
    for task, kind in KIND_OF.items()
    for other in OF_KINDS
    if other != kind
    for option in OF_KINDS[other]
]


@pytest.mark.parametrize(("task", "option"), CASES)
def test_option_of_another_kind_of_model_is_refused(task, option, models, tmp_path, one_line):
    (tmp_path / "s.fa").write_text(">a\nACGTACGTAC\n")
    given = [option, VALUES[option]] if option in VALUES else [option]
    out = tmp_path / "out"
    assert main(["predict", str(tmp_path / "s.fa"), "--model", str(models[task]), "-o", str(out), *given]) == 2
    one_line(f"error[OPTION-004] {option}: a model for {task} takes no {option}: it is for")
    assert not out.exists()


def test_formats_of_another_kind_of_model_are_refused_with_those_there_are(models, tmp_path, one_line):
    (tmp_path / "s.fa").write_text(">a\nACGTACGTAC\n")
    for task, word in (("function", "gff3"), ("gene_structure", "ct"), ("codon_structure", "dbn"), ("contacts", "ct")):
        out = tmp_path / task
        command = ["predict", str(tmp_path / "s.fa"), "--model", str(models[task]), "-o", str(out)]
        assert main([*command, "--formats", word]) == 2
        known = ", ".join(APPLICATIONS[task].formats.load())
        one_line(f'error[FORMATS-001] --formats: unknown output format "{word}"; known: {known}.')
        assert not out.exists()


def test_model_that_cannot_take_their_place_leaves_old_results(models, tmp_path, capsys):
    (tmp_path / "s.fa").write_text(">a\nACGTACGTAC\n")
    bundle, out = load_bundle(models["function"]), tmp_path / "out"
    save_bundle(tmp_path / "raw", model=bundle.model, config=bundle.config, card="#\n", calibration={})
    command = ["predict", str(tmp_path / "s.fa"), "-o", str(out), "--overwrite", "--model"]
    assert main([*command, str(models["function"])]) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    assert "functions.tsv" in before
    assert main([*command, str(tmp_path / "raw")]) == 65
    assert main([*command, str(models["gene_structure"]), "--device", "abacus"]) == 2
    assert main([*command, str(models["gene_structure"]), "--threads", "0"]) == 2
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before
    assert "MODEL-023" in capsys.readouterr().err
    assert main([*command[:-2], "--model", str(models["function"])]) == 0
    assert "nothing to do" in capsys.readouterr().out and not (out / ".work").exists()
    assert json.loads((out / "summary.json").read_text())["task"] == "function"
