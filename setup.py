"""What building the package does besides: it takes the genome browser of reports along, where it can be had."""

import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FETCH = Path(__file__).parent / "genoformer" / "report" / "fetch_igv.py"


class BuildWithBrowser(build_py):
    """Takes igv.js before files are gathered; without it the package is complete, but for that."""

    def run(self) -> None:
        runpy.run_path(str(FETCH))["main"]()
        super().run()


setup(cmdclass={"build_py": BuildWithBrowser})
