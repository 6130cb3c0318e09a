"""What is said twice is said alike: dependencies, pins, versions, licence."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import genoformer
from genoformer.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
CONDA_NAMES = {"pytorch": "torch"}
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
INSTALLED = """
import json
import genoformer
from genoformer.bundle.header import read_header, shipped_models
from genoformer.training.config_files import shipped_configs
tasks = {name: read_header(name).config.task for name in shipped_models()}
configs = {name: str(path) for name, path in shipped_configs().items()}
print(json.dumps({"package": genoformer.__file__, "configs": configs, "models": list(tasks), "tasks": tasks}))
"""
"""What an installed package is asked: where it is, and what it finds."""
CONDA_ONLY = {"python", "pip", "genometools-genometools", "bedtools", "gffread", "htslib"}


def by_name(lines) -> dict[str, Requirement]:
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def pins() -> dict[str, Requirement]:
    return by_name((ROOT / "constraints.txt").read_text().split("\n")[:-1])


def conda_environment() -> tuple[dict[str, Requirement], list[str]]:
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (pip,) = [entry["pip"] for entry in entries if isinstance(entry, dict)]
    conda = by_name(entry for entry in entries if isinstance(entry, str))
    return {CONDA_NAMES.get(name, name): requirement for name, requirement in conda.items()}, pip


def test_conda_environment_has_the_names_and_bounds_of_the_project():
    conda, pip = conda_environment()
    assert pip[-1] == "-e ."
    both = {**conda, **by_name(pip[:-1])}
    wanted = by_name(PROJECT["dependencies"])
    assert set(both) - CONDA_ONLY == set(wanted)
    for name, requirement in wanted.items():
        assert both[name].specifier == requirement.specifier, name
    assert conda["python"].specifier == Requirement(f"python{PROJECT['requires-python']}").specifier


def test_conda_channels_leave_out_the_commercial_one():
    assert yaml.safe_load((ROOT / "environment.yml").read_text())["channels"] == [
        "conda-forge",
        "bioconda",
        "nodefaults",
    ]


def test_every_dependency_is_pinned_within_its_bounds():
    pinned = pins()
    for requirement in map(Requirement, PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]):
        pin = pinned[canonicalize_name(requirement.name)]
        (specifier,) = pin.specifier
        assert specifier.operator == "==" and requirement.specifier.contains(specifier.version), pin


def test_constraints_are_plain_pins_and_torch_has_no_local_version():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", line) for line in lines)
    assert "torch==2.13.0" in lines
    assert "genoformer" not in pins()
    assert len(pins()) == len(lines)


def test_the_malicious_lightning_releases_are_out_of_bounds():
    requirement = by_name(PROJECT["dependencies"])["pytorch-lightning"]
    assert not any(requirement.specifier.contains(release) for release in ("2.6.2", "2.6.3"))


def test_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == genoformer.__version__ == citation["version"]
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_licence_is_bsd_3_clause_everywhere():
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("BSD 3-Clause License") and "The genoformer developers" in text
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["license"] == "BSD-3-Clause"


def test_console_script_is_the_command():
    assert PROJECT["scripts"] == {"genoformer": "genoformer.cli.main:main"}


def test_command_table_of_the_documentation_has_every_command_and_no_other():
    table = (ROOT / "docs" / "cli.md").read_text().split("## Exit codes")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.M)) == set(COMMANDS)


@pytest.mark.parametrize("page", ["README.md", "docs/cli.md", "data/README.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_between_pages_lead_somewhere(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not target.startswith("mailto:"):
            assert ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("script", [".ci/run", "scripts/demo.sh"])
def test_script_is_executable_and_parses(script):
    assert os.access(ROOT / script, os.X_OK)
    subprocess.run(["bash", "-n", ROOT / script], check=True)


def test_continuous_integration_calls_the_commands_of_developers():
    script = (ROOT / ".ci" / "run").read_text()
    assert all(re.search(rf"^(CI=true )?make {target} ", script, re.M) for target in ("lint", "test"))


@pytest.mark.parametrize("target", ["demo", "install", "test"])
def test_make_sets_up_the_environment_first(target):
    command = ["make", "--dry-run", "--always-make", target, "PIP_ARGS=--my-option", "FASTA=my.fa"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert 'pip install --my-option -c constraints.txt -e ".[dev]"' in done.stdout
    assert "genoformer/report/fetch_igv.py" in done.stdout
    assert ("scripts/demo.sh" in done.stdout and '"my.fa"' in done.stdout) == (target == "demo")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory, need_package):
    """The wheel of a copy of the sources: building leaves folders beside them."""
    need_package("setuptools")
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("genoformer", "configs"):
        shutil.copytree(
            ROOT / name, folder / "source" / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "source")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    # without npm igv.js is in the wheel only if it lies in the sources
    environment = os.environ | {"PATH": str(folder)}
    subprocess.run([*PIP, "wheel", *options, "-w", folder, folder / "source"], check=True, env=environment)
    (path,) = folder.glob("*.whl")
    return path


def test_wheel_holds_every_module_configuration_and_shipped_model_and_nothing_else(wheel):
    files = (path for path in (ROOT / "genoformer").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    configurations = [path.relative_to(ROOT) for path in (ROOT / "configs").rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT) for path in files} | {Path("genoformer/shipped") / path for path in configurations}
    models = list((ROOT / "genoformer/shipped").glob("*/model.safetensors"))
    assert len(models) >= 3 and len(configurations) >= 15 and Path("genoformer/bundle/format_1.json") in wanted
    with zipfile.ZipFile(wheel) as archive:
        held = {Path(name) for name in archive.namelist() if ".dist-info/" not in name}
    assert held == wanted


def test_installed_wheel_finds_configurations_and_models(wheel, tmp_path):
    target = tmp_path / "target"
    subprocess.run([*PIP, "install", "--no-deps", "--no-index", "--quiet", "--target", target, wheel], check=True)
    environment = os.environ | {"PYTHONPATH": str(target)}
    done = subprocess.run(
        [sys.executable, "-c", INSTALLED], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert Path(found["package"]) == target / "genoformer/__init__.py"
    files = list((ROOT / "configs").glob("*/*.yaml"))
    known = {path.stem: path for path in files} | {f"{path.parent.name}/{path.stem}": path for path in files}
    read = {name: Path(path).read_text() for name, path in found["configs"].items()}
    assert read == {name: path.read_text() for name, path in known.items()}
    assert all(target in Path(path).parents for path in found["configs"].values())
    assert found["models"] == sorted(path.parent.name for path in (ROOT / "genoformer/shipped").glob("*/config.json"))
    assert found["tasks"]["bacteria"] == "gene_structure"
