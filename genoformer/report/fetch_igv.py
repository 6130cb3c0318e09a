"""Take the genome browser igv.js, which reports carry, from its package: ``python genoformer/report/fetch_igv.py``.

Only the standard library is imported, so that building the package can run this file by itself. It needs ``npm`` once;
nothing else does, and without the browser reports have a map of their own.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

VERSION = "3.8.10"
PACKAGE_SHA256 = "8db17d607a7ac355a73ebdd6beb9e0203c1e260b03b47fca81c267e46afa79aa"
SCRIPT_SHA256 = "87b991ae2a720978172e269dd5127c495e56df5af31144dff19c83124e2f5744"
FOLDER = Path(__file__).parent / "vendor"
SCRIPT, LICENSE = FOLDER / "igv.min.js", FOLDER / "igv.LICENSE.txt"
MEMBERS = {"package/dist/igv.min.js": SCRIPT, "package/LICENSE": LICENSE}
TIMEOUT_S = 120
PATIENCE = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
"""Without a network an installation should not wait for minutes."""


def is_there() -> bool:
    """Whether the browser lies in its place, unchanged."""
    return SCRIPT.is_file() and LICENSE.is_file() and sha256(SCRIPT) == SCRIPT_SHA256


def sha256(path: Path) -> str:
    """Digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch() -> None:
    """Take the package with npm, check it, and put the browser and its licence in their place.

    Raises:
        OSError: If npm is not there, or gives no package, or another one than expected.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise OSError("npm is not installed")
    with TemporaryDirectory() as scratch:
        done = subprocess.run(
            [npm, "pack", "--silent", *PATIENCE, f"igv@{VERSION}"], cwd=scratch, capture_output=True, text=True,
            timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
        package = Path(scratch) / f"igv-{VERSION}.tgz"
        if done.returncode or not package.is_file():
            raise OSError(f"npm pack igv@{VERSION} failed: {done.stderr.strip()[-300:]}")
        unpack(package)


def unpack(package: Path) -> None:
    """Put the browser and its licence in their place.

    Raises:
        OSError: If the package is another one than expected.
    """
    if sha256(package) != PACKAGE_SHA256:
        raise OSError(f"the package igv {VERSION} has the SHA-256 {sha256(package)}, expected {PACKAGE_SHA256}")
    FOLDER.mkdir(exist_ok=True)
    with tarfile.open(package) as archive:
        for member, path in MEMBERS.items():
            stored = archive.extractfile(member)
            if stored is None:
                raise OSError(f"the package igv {VERSION} has no {member}")
            half = path.with_suffix(".part")
            half.write_bytes(stored.read())
            half.replace(path)


def main() -> int:
    """Take it unless it is there; returns the exit code."""
    if is_there():
        return 0
    try:
        fetch()
    except (OSError, subprocess.TimeoutExpired, KeyError, tarfile.TarError) as error:
        print(f"igv.js was not taken: {error}. Reports will have a simple map of genes instead.", file=sys.stderr)
        return 1
    print(f"igv.js {VERSION}: {SCRIPT}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
