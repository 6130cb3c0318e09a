"""``metrics.csv``: one row per logged step, complete at any time, continued by a resumed run."""

import csv
import io
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from genoformer.files import write_text_atomic


class MetricsLog(Logger):
    """Lightning logger for one CSV file.

    A new name adds a column; values of the same step share a row.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = Path(path)
        self.rows: dict[int, dict[str, Any]] = {}

    @property
    def name(self) -> str:
        return ""

    @property
    def version(self) -> str:
        return ""

    @property
    def save_dir(self) -> str:
        return str(self.path.parent)

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: ``config.yaml`` holds them."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Add values of one step and write the file."""
        row = self.rows.setdefault(int(step or 0), {})
        row.update({name: f"{value:.7g}" for name, value in metrics.items()})
        self.save()

    @rank_zero_only
    def save(self) -> None:
        """Write the file."""
        if not self.rows:
            return
        names = dict.fromkeys(name for row in self.rows.values() for name in row)
        columns = ["step", *names]
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({"step": step, **self.rows[step]} for step in sorted(self.rows))
        write_text_atomic(self.path, text.getvalue())

    def continue_from(self, step: int) -> None:
        """Read the rows of an interrupted run that lie before ``step``; later ones will be measured again."""
        if not self.path.is_file():
            return
        with self.path.open(newline="") as file:
            for row in csv.DictReader(file):
                if int(row["step"]) < step:
                    self.rows[int(row["step"])] = {k: v for k, v in row.items() if k != "step" and v}
