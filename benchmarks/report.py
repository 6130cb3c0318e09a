"""How large a report is, and how long a browser takes until it can be used: E. coli, or any page.

    genoformer predict ecoli.fa -o ecoli --formats gff3,report
    python benchmarks/report.py ecoli/report.html

Usable means: the genome browser has drawn its first view, the table is there, a search has found a gene. Times are of
the machine at hand, as many runs as asked for, each in a browser of its own that has seen nothing before.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from chromium import Chromium  # lies in tests/


def measure(page: Path, driver: str, browser: str) -> tuple[float, float]:
    """Seconds until the page is usable, and seconds of the processor in the page's own thread until then."""
    with TemporaryDirectory() as profile, Chromium(driver, browser, Path(profile)) as chromium:
        chromium.open(Path("/dev/null"))  # the browser itself has begun
        chromium.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        begun = time.perf_counter()
        chromium.open(page)
        chromium.find("#genes input").send_keys("00042")
        chromium.wait("return document.querySelectorAll('#genes tbody tr').length < 25")
        seconds = time.perf_counter() - begun
        found = chromium.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return seconds, next(each["value"] for each in found if each["name"] == "TaskDuration")


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    driver, browser = which("chromedriver"), which("chromium")
    if driver is None or browser is None:
        parser.error("chromium and chromedriver are needed")
    seconds, busy = zip(*(measure(args.page.resolve(), driver, browser) for _ in range(args.runs)), strict=True)
    print(f"{args.page}: {args.page.stat().st_size / 1e6:.2f} MB")
    print(
        f"usable after {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f}, {args.runs} runs)"
    )
    print(f"processor, thread of the page: {statistics.median(busy):.2f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
