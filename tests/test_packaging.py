"""What is said twice is said alike: dependencies, pins, versions, licence."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
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
from genoformer.training.config_files import shipped_configs, workflow_folder
tasks = {name: read_header(name).config.task for name in shipped_models()}
configs = {name: str(path) for name, path in shipped_configs().items()}
found = {"configs": configs, "models": list(tasks), "tasks": tasks, "workflow": str(workflow_folder())}
print(json.dumps({"package": genoformer.__file__, **found}))
"""
"""What an installed package is asked: where it is, and what it finds."""
CONDA_ONLY = {"python", "pip", "genometools-genometools", "bedtools", "gffread", "htslib", "aragorn", "barrnap"}


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


@pytest.mark.parametrize(
    "page", ["README.md", "docs/cli.md", "data/README.md", "SECURITY.md", "CHANGELOG.md", "docs/install.md"]
)
def test_links_between_pages_lead_somewhere(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not target.startswith("mailto:"):
            assert ((ROOT / page).parent / target).exists(), target


@pytest.mark.parametrize("script", [".ci/run", "scripts/demo.sh", "scripts/install_check.sh", "scripts/coverage.sh"])
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


def tracked_files() -> list[Path]:
    """Files of the checkout that version control has, or would take."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no checkout: these are the files of an archive")
    return sorted({Path(name) for name in done.stdout.split("\0") if name and os.path.lexists(ROOT / name)})


def shipped_links(tracked: list[Path]) -> set[Path]:
    """Files that the package holds through its links to folders beside it."""
    beside = {path for path in tracked if path.parts[0] in ("configs", "workflows") and ".test" not in path.parts}
    return {Path("genoformer/shipped") / path for path in beside}


@pytest.fixture(scope="module")
def sources(tmp_path_factory, need_package):
    """A copy of the checkout's files: building leaves folders beside them."""
    need_package("setuptools")
    folder = tmp_path_factory.mktemp("archives")
    for path in tracked_files():
        target = folder / "source" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target, follow_symlinks=False)
    return folder


@pytest.fixture(scope="module")
def wheel(sources):
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    # without npm igv.js is not in the wheel
    environment = os.environ | {"PATH": str(sources)}
    command = [*PIP, "wheel", *options, "-w", sources, sources / "source"]
    done = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    assert "deprecat" not in done.stderr.lower()
    (path,) = sources.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def source_archive(sources):
    build = "from setuptools import build_meta; build_meta.build_sdist('..')"
    subprocess.run([sys.executable, "-c", build], cwd=sources / "source", check=True, capture_output=True)
    (path,) = sources.glob("*.tar.gz")
    return path


@pytest.mark.slow
def test_wheel_holds_every_module_configuration_model_and_the_workflow_and_nothing_else(wheel):
    tracked = tracked_files()
    package = {path for path in tracked if path.parts[0] == "genoformer" and not (ROOT / path).is_symlink()}
    models = list((ROOT / "genoformer/shipped").glob("*/model.safetensors"))
    links = shipped_links(tracked)
    with zipfile.ZipFile(wheel) as archive:
        held = {Path(name) for name in archive.namelist() if ".dist-info/" not in name}
        licences = [name for name in archive.namelist() if name.endswith("/LICENSE")]
    assert held == package | links and len(licences) == 1
    assert len(models) >= 5 and len([path for path in links if path.parts[2] == "configs"]) >= 15
    assert {
        *map(Path, ("genoformer/py.typed", "genoformer/report/fetch_igv.py", "genoformer/bundle/format_1.json")),
        *map(Path, ("genoformer/shipped/workflows/Snakefile", "genoformer/shipped/workflows/rules/common.smk")),
    } <= held


@pytest.mark.slow
def test_source_archive_holds_the_checkout_and_nothing_else(source_archive):
    tracked = tracked_files()
    with tarfile.open(source_archive) as archive:
        members = [member for member in archive.getmembers() if not member.isdir()]
        held = {Path(*Path(member.name).parts[1:]) for member in members}
        assert all(member.isfile() for member in members)
        assert {member.mode & 0o777 for member in members} <= {0o644, 0o755}
    made = {path for path in held if path.parts[0] == "genoformer.egg-info"} | {Path("PKG-INFO"), Path("setup.cfg")}
    links = {path for path in tracked if (ROOT / path).is_symlink()}
    assert held - made == (set(tracked) - links) | shipped_links(tracked)


@pytest.mark.slow
def test_source_archive_makes_the_same_wheel(sources, source_archive, wheel, tmp_path):
    with tarfile.open(source_archive) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.2 has none
        archive.extractall(tmp_path)
    (unpacked,) = tmp_path.iterdir()
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    environment = os.environ | {"PATH": str(sources)}
    subprocess.run(
        [*PIP, "wheel", *options, "-w", tmp_path, unpacked], check=True, env=environment, capture_output=True
    )
    (again,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert {name: one.getinfo(name).CRC for name in one.namelist() if "RECORD" not in name} == {
            name: other.getinfo(name).CRC for name in other.namelist() if "RECORD" not in name
        }


def test_extra_of_the_workflow_brings_what_its_report_needs():
    assert "pygments" in by_name(PROJECT["optional-dependencies"]["workflow"])


def test_every_package_that_the_code_imports_is_required():
    """What is imported anywhere is a dependency, or one of an extra."""
    names = {"Bio": "biopython", "sklearn": "scikit-learn", "yaml": "pyyaml", "RNA": "viennarna"}
    transitive = {"llvmlite": "numba", "lightning_fabric": "pytorch-lightning"}
    known = by_name(
        PROJECT["dependencies"] + [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    )
    imported = {
        name.split(".")[0]
        for path in (ROOT / "genoformer").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom) and node.module and not node.level
            else []
        )
    }
    others = imported - set(sys.stdlib_module_names) - {"genoformer", "_typeshed"}
    missing = {name for name in others if canonicalize_name(transitive.get(name, names.get(name, name))) not in known}
    assert not missing


@pytest.fixture
def steps(need_package) -> list:
    """Steps of the container's recipe, as the parser of Docker reads them."""
    return list(need_package("dockerfile").parse_file(str(ROOT / "Containerfile")))


def test_container_recipe_parses_and_runs_the_command_without_rights(steps):
    words = [(step.cmd.upper(), step.value) for step in steps]
    bases = [value[0] for command, value in words if command == "FROM"]
    assert all(re.fullmatch(r"docker\.io/library/python:3\.1[123]-slim-bookworm", base) for base in bases)
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains("3.12")
    last = [command for command, _ in words][max(i for i, (command, _) in enumerate(words) if command == "FROM") :]
    assert last.index("USER") > last.index("RUN") and ("USER", ("genoformer",)) in words
    assert ("ENTRYPOINT", ("genoformer",)) in words and "genoformer" in PROJECT["scripts"]
    install = next(value[0] for command, value in words if command == "RUN" and "pip install" in value[0])
    assert "-c /wheels/constraints.txt" in install and "genoformer-*.whl" in install and "useradd" in install


def test_container_recipe_copies_what_is_there(steps):
    for step in steps:
        if step.cmd.upper() == "COPY" and not any(flag.startswith("--from") for flag in step.flags):
            assert all((ROOT / source).exists() for source in step.value[:-1])


def test_changelog_orders_what_users_see():
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^##+ .*$", text, re.M)
    version = next(i for i, line in enumerate(headings) if line.startswith(f"## {PROJECT['version']} ("))
    assert headings[0] == "## Unreleased"
    assert re.fullmatch(r"## \S+ \(\d{4}-\d\d-\d\d\)", headings[version])
    assert headings[version + 1 : version + 4] == ["### Added", "### Changed", "### Fixed"]


@pytest.mark.slow
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
    assert found["tasks"]["prokaryotes"] == "gene_structure"
    assert Path(found["workflow"]) == target / "genoformer/shipped/workflows"
    assert (target / "genoformer/shipped/workflows/Snakefile").is_file()
