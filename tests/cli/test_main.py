"""Every ending of the command is one line on standard error and the documented exit code."""

import ast
import errno
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest
import yaml
from Bio import SeqIO
from children import PATIENCE_S

from genoformer.bundle.header import shipped_models
from genoformer.cli import main as cli
from genoformer.cli import models
from genoformer.errors import BusyError, DataError
from genoformer.training.config_files import config_folder

HEAVY = ("torch", "pytorch_lightning", "numba", "numpy", "Bio", "h5py", "sklearn")


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """``fake(run)`` makes ``genoformer fake`` call ``run(args)``, in an empty working folder."""

    def install(run):
        module = types.ModuleType("fake_command")
        module.add_arguments = lambda parser: parser.add_argument("--batch-size", type=int, default=1)
        module.run = run
        monkeypatch.setitem(sys.modules, "fake_command", module)
        monkeypatch.setitem(cli.COMMANDS, "fake", ("fake_command", "a command of the tests"))
        monkeypatch.chdir(tmp_path)

    return install


def raises(error):
    def run(args):
        raise error

    return run


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stderr.split()}


def test_importing_the_package_loads_no_heavy_library():
    assert not loaded_by("import genoformer").intersection(HEAVY)


def test_help_loads_no_heavy_library():
    assert not loaded_by("from genoformer.cli.main import main\nmain(['--help'])").intersection(HEAVY)


@pytest.mark.parametrize("command", ["simulate", "models"])
def test_help_of_a_light_command_loads_no_heavy_library(command):
    assert not loaded_by(f"from genoformer.cli.main import main\nmain(['{command}', '--help'])").intersection(HEAVY)


def test_help_lists_every_command(capsys):
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^  {name} +{re.escape(text)}$", out, re.M) for name, (_, text) in cli.COMMANDS.items())


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_listed_command_has_its_module_and_functions(name):
    source = Path(importlib.util.find_spec(cli.COMMANDS[name][0]).origin).read_text()
    functions = {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    wanted = {"run_lightning"} if name in cli.LIGHTNING_COMMANDS else {"add_arguments", "run"}
    assert wanted <= functions


def test_python_m_and_the_console_script_are_the_same_command():
    script = shutil.which("genoformer", path=os.path.dirname(sys.executable))
    for command in ([sys.executable, "-m", "genoformer"], [script]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.fullmatch(r"genoformer \d+\.\d+\.\d+\n", done.stdout)
        assert subprocess.run([*command, "predct"], capture_output=True).returncode == 2


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "no command given"),
        (["predct"], "Did you mean predict?"),
        (["--predict"], 'no option "--predict"'),
        (["simulate"], "-o/--out"),
        (["simulate", "-o", "x", "--overwrit"], "Did you mean --overwrite?"),
        (["simulate", "-o", "x", "--gc", "half"], "'half'"),
        (["simulate", "-o", "x", "--length", "5"], "--length"),  # no abbreviations: they break when options are added
        (["pre\x1b[2Jdict"], "\\x1b"),
    ],
)
def test_usage_error_is_one_line_and_exit_2(argv, said, capsys):
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("genoformer: error[CLI-") and err.count("\n") == 1
    assert said in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("FASTA-005", "record has no sequence."), 65),
        (BusyError("FILES-004", "locked."), 75),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 137),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 137),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), 137),
        (OSError(errno.ENOSPC, "No space left on device", "genes.gff3"), 74),
        (SystemExit(3), 3),
        (SystemExit(None), 0),
        (SystemExit("bad"), 2),
    ],
)
def test_error_gives_its_exit_code_and_at_most_one_line(error, code, fake, capsys, tmp_path):
    fake(raises(error))
    assert cli.main(["fake"]) == code
    assert capsys.readouterr().err.count("\n") == (0 if code in (0, 3) else 1)
    assert not list(tmp_path.iterdir())


def test_out_of_memory_comes_with_advice(fake, capsys):
    fake(raises(MemoryError()))
    cli.main(["fake"])
    assert "--batch-size" in capsys.readouterr().err


def test_a_bug_leaves_its_traceback_in_a_crash_file_only(fake, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    fake(raises(ZeroDivisionError("seven\nlines")))
    assert cli.main(["fake", "--batch-size", "3"]) == 70
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "ZeroDivisionError: seven" in err and "Traceback" not in err
    (crash_file,) = tmp_path.glob("genoformer-crash-*.txt")
    assert str(crash_file) in err
    text = crash_file.read_text()
    assert "Traceback" in text and "ZeroDivisionError" in text and "'--batch-size', '3'" in text


def test_crash_file_goes_to_the_current_folder_when_the_temporary_one_refuses(fake, capsys, tmp_path, monkeypatch):
    fake(raises(ZeroDivisionError("x")))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "not there"))
    monkeypatch.setattr("pathlib.Path.cwd", lambda: elsewhere)
    assert cli.main(["fake"]) == 70
    assert len(list(elsewhere.glob("genoformer-crash-*.txt"))) == 1


def test_exit_code_of_the_command_is_passed_on(fake):
    fake(lambda args: args.batch_size)
    assert cli.main(["fake", "--batch-size", "76"]) == 76


def test_the_lightning_commands_get_their_arguments_unparsed(monkeypatch):
    seen = []
    module = types.ModuleType("fake_fit")
    module.run_lightning = lambda subcommand, argv: seen.append((subcommand, argv)) or 0
    monkeypatch.setitem(sys.modules, "fake_fit", module)
    monkeypatch.setitem(cli.COMMANDS, "fit", ("fake_fit", "x"))
    monkeypatch.setattr(cli, "prepare_process", lambda: seen.append("prepared"))
    assert cli.main(["fit", "--config", "a", "--overwrite"]) == 0
    assert seen == ["prepared", ("fit", ["--config", "a", "--overwrite"])]


def test_main_leaves_the_signal_handler_as_it_was(fake):
    before = signal.getsignal(signal.SIGTERM)
    fake(raises(MemoryError()))
    cli.main(["fake"])
    assert signal.getsignal(signal.SIGTERM) is before


CHILD = """
import signal, sys, types
from genoformer.cli import main as cli
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background would ignore it
def run(args):
{body}
module = types.ModuleType("fake_command")
module.add_arguments, module.run = lambda parser: None, run
sys.modules["fake_command"] = module
cli.COMMANDS["fake"] = ("fake_command", "x")
sys.exit(cli.main(["fake"]))
"""


def child(body: str, **options) -> subprocess.Popen:
    code = CHILD.format(body="\n".join(f"    {line}" for line in body.splitlines()))
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, **options)


HOLD = f"""\
import time
from genoformer.files import atomic_path
with atomic_path("out.txt") as path:
    path.write_text("half")
    print("ready", flush=True)
    time.sleep({PATIENCE_S})
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_removes_temporary_files_and_gives_its_exit_code(number, code, tmp_path):
    process = child(HOLD, stdout=subprocess.PIPE, cwd=tmp_path)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert err.count("\n") == 1 and "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_a_reader_that_goes_away_is_no_reason_to_talk(tmp_path):
    process = child("print('x' * 10_000_000)\nreturn 0", stdout=subprocess.PIPE, cwd=tmp_path)
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=PATIENCE_S) == 74
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux only")
def test_full_disk_behind_standard_output_is_exit_74(tmp_path):
    with open("/dev/full", "w") as full:
        process = child("print('result')\nreturn 0", stdout=full, cwd=tmp_path)
        err = process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode == 74
    assert err.count("\n") == 1 and "No space left" in err


def simulate(out, *options):
    return cli.main(["simulate", "-o", str(out), "--length-bp", "60000", *options])


def test_simulate_writes_files_that_others_read(tmp_path, need_tool):
    assert simulate(tmp_path / "a", "--contigs", "2", "--gc", "0.4") == 0
    done = subprocess.run(
        [need_tool("gt"), "gff3validator", "-typecheck", "so", tmp_path / "a" / "genome.gff3"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    records = {record.id: record.seq for record in SeqIO.parse(tmp_path / "a" / "genome.fa", "fasta")}
    assert sum(map(len, records.values())) == 60_000
    rows = [line.split("\t") for line in (tmp_path / "a" / "genome.gff3").read_text().splitlines() if line[0] != "#"]
    coding = [row for row in rows if row[2] == "CDS"]
    assert len(coding) > 30
    for row in coding:
        bases = records[row[0]][int(row[3]) - 1 : int(row[4])]
        (bases if row[6] == "+" else bases.reverse_complement()).translate(table=11, cds=True)
    summary = json.loads((tmp_path / "a" / "summary.json").read_text())
    assert summary["n_genes"] == len(coding) and summary["n_records"] == 2 and summary["n_bases"] == 60_000


def test_simulate_gives_the_same_bytes_for_the_same_seed(tmp_path):
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        assert simulate(tmp_path / name, "--seed", seed) == 0
    for name in ("genome.fa", "genome.gff3", "summary.json", "manifest.json"):
        a, b, c = ((tmp_path / folder / name).read_bytes() for folder in "abc")
        assert a == b != c


def test_simulate_again_has_nothing_to_do_and_other_contents_are_kept(tmp_path, capsys):
    assert simulate(tmp_path) == 0
    before = (tmp_path / "genome.fa").read_bytes()
    assert simulate(tmp_path) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert simulate(tmp_path, "--seed", "2") == 73
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "genome.fa").read_bytes() == before
    assert simulate(tmp_path, "--seed", "2", "--overwrite") == 0
    assert (tmp_path / "genome.fa").read_bytes() != before


def test_simulate_does_not_trust_files_that_were_changed(tmp_path):
    assert simulate(tmp_path) == 0
    with (tmp_path / "genome.fa").open("a") as file:
        file.write("A\n")
    assert simulate(tmp_path) == 73


def test_simulate_with_bad_values_is_exit_2_and_leaves_nothing(tmp_path, capsys):
    assert simulate(tmp_path / "a", "--gc", "0.95") == 2
    assert "0.95" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_simulate_refuses_an_output_below_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    assert simulate(tmp_path / "file" / "a") == 73


def test_models_lists_a_table_and_an_unknown_one_is_exit_66(capsys):
    assert cli.main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "for", "organisms", "size", "scores"] and max(map(len, lines)) <= 128
    assert cli.main(["models", "--tsv"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows[1:]] == shipped_models() and all(len(row) == 5 for row in rows)
    assert "0.8 million, 6 MB" in rows[1] and not any(cell in ("", "-") for row in rows for cell in row)
    assert cli.main(["models", "no_such_model"]) == 66
    assert "no_such_model" in capsys.readouterr().err


def test_a_model_whose_card_says_little_is_listed_with_what_is_known(tiny_bundle):
    row = models.about("tiny", tiny_bundle)
    assert row["name"] == "tiny" and row["for"] == row["scores"] == "-" and row["size"].endswith(" MB")


def test_configs_lists_every_configuration_with_a_line_and_prints_one(capsys):
    assert cli.main(["configs"]) == 0
    text = capsys.readouterr().out
    for path in config_folder().glob("*/*.yaml"):
        assert re.search(rf"^  {path.stem}\b", text, re.M), path
    assert "Secondary structure of a protein from its coding sequence" in text
    assert cli.main(["configs", "rna_pairs"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["model"]["task"] == "rna_pairs"
    assert cli.main(["configs", "rna_pair"]) == 66
    assert "rna_pairs" in capsys.readouterr().err
