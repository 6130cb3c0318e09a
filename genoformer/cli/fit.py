"""``genoformer fit``, ``validate`` and ``test``: configuration files and options to a LightningCLI run."""

import contextlib
import copy
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import Timer
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI

from genoformer.applications import DEFAULT_TASK, configured_application
from genoformer.cli.attention_options import CONFIG_OPTIONS
from genoformer.cli.fit_folds import finish_of, folds_of, train_networks
from genoformer.cli.fit_lines import next_command, score_lines, start_lines, start_rows
from genoformer.cli.fit_recipe import PRINT, choice_lines, choose_from_data
from genoformer.cli.fit_report import ending_of, model_texts, write_report, written_or_said
from genoformer.cli.odd_settings import check_settings
from genoformer.cli.training_arguments import find_task, prepare_arguments
from genoformer.errors import UsageError
from genoformer.files import folder_lock, write_json_atomic, write_text_atomic
from genoformer.report.training_report import RunFacts
from genoformer.training.checkpoint_io import AtomicCheckpointIO, check_checkpoint_path
from genoformer.training.config_files import config_folder
from genoformer.training.displays import display_for, said_on
from genoformer.training.finish import Fold, finish_bundle
from genoformer.training.folds import check_folds
from genoformer.training.leakage_warning import leakage_lines
from genoformer.training.loggers import missing_package_named, run_loggers
from genoformer.training.metrics_log import MetricsLog
from genoformer.training.module import GenomeModule
from genoformer.training.old_keys import check_keys
from genoformer.training.processes import check_processes, check_strategy, model_precision
from genoformer.training.progress import Display, Silence, watched_by
from genoformer.training.progress_bar import RunProgress
from genoformer.training.refusals import is_refusal
from genoformer.training.run_folder import RunFolder, config_digest, run_folder
from genoformer.training.run_history import RunHistory
from genoformer.training.settings import ModelReading
from genoformer.training.signals import StopRequest
from genoformer.training.start import build_for, freeze, start_from
from genoformer.training.train import (
    TRAINER_DEFAULTS,
    callbacks_of,
    check_rates,
    check_steps,
    check_weights,
    kept_said,
    load_weights,
    loading_ended,
    quieten_lightning,
    received_signals,
    run_callbacks,
    run_plugins,
    train,
)
from genoformer.training.trusted_code import (
    ALLOW_CODE,
    check_parsed,
    check_written,
    only_trusted_imports,
    refused_by_parser,
)

MAX_MESSAGE_LETTERS = 400


class OneLineParser(LightningArgumentParser):
    """Says what is wrong with the configuration in one line."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise ``UsageError``: what is missing or unknown in our words, else jsonargparse's message.

        Raises:
            RefusedError: If the parser was to import what it may not.
        """
        if refusal := refused_by_parser(message):
            raise refusal from ex
        text = " ".join(message.split())[:MAX_MESSAGE_LETTERS]
        fix = f"See {self.prog} --help."
        if "model.encoder" in text and ("are required" in text or "Got value: None" in text):
            names = ", ".join(sorted(path.stem for path in config_folder().glob("experiment/*.yaml")))
            text, fix = "nothing says what is trained.", f"Give --config NAME or a YAML file. Names: {names}."
        elif "is not allowed, denied by" in text:
            text, fix = "a file is named as a class of a module would be.", "Write ./ before the name of a file."
        elif "unrecognized arguments: --data." in text:
            known = ", ".join(sorted(self._options_of_data()))
            text, fix = f"{text.rstrip('.')}.", f"The data of this task are given by {known}."
        raise UsageError("CONFIG-001", text, where="configuration", fix=fix) from ex

    def _options_of_data(self) -> set[str]:
        """What this task takes under ``data``, groups of settings as one."""
        found = re.finditer(r"--data\.[a-z_]+", " ".join(self._option_string_actions))
        return {option[0] for option in found}


class GenoformerCLI(LightningCLI):
    """Our options beside Lightning's; the folder of the run decides about logs, checkpoints and model.

    Args:
        command: "fit", "validate" or "test".
        argv: Arguments, configurations already found.
        stop: Signals.
        allows_code: Whether configurations may name classes of every package.
    """

    def __init__(self, command: str, argv: list[str], stop: StopRequest, *, allows_code: bool = False) -> None:
        self.command, self.stop, self.allows_code = command, stop, allows_code
        self.display: Display = Silence()
        self.predicts = False
        self.left_out = ""
        check_keys(argv, CONFIG_OPTIONS)
        if not allows_code:
            check_written(argv, CONFIG_OPTIONS)
        self.application = configured_application(find_task(argv))
        data_class: Any = self.application.data.load()
        with contextlib.nullcontext() if allows_code else only_trusted_imports():
            super().__init__(
                GenomeModule, data_class, args=argv, run=False, seed_everything_default=0, parser_class=OneLineParser,
                parser_kwargs={"prog": f"genoformer {command}"}, trainer_defaults=TRAINER_DEFAULTS,
                auto_configure_optimizers=False, save_config_callback=None, load_from_checkpoint_support=False,
            )  # fmt: skip

    def add_default_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--seed_everything", type=int, default=0, help="seed of weights, crops and splits")

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--name", type=str, default="run", help="name of the run: files go to runs/NAME")
        parser.add_argument("--recipe", type=bool, default=False, help="choose from the data what nothing sets")
        parser.add_argument("--init_from", type=str | None, help="bundle whose weights training starts from")
        parser.add_argument("--overwrite", action="store_true", help="replace another run of this name")
        parser.add_argument("--ckpt_path", type=str | None, help="checkpoint to continue (fit) or to score")
        parser.add_argument("--monitor", type=str, default="val/loss", help="metric that chooses the model")
        parser.add_argument("--checkpoint_every_n_steps", type=int, default=200, help="steps between checkpoints")
        parser.set_defaults({"model.task": DEFAULT_TASK})
        parser.link_arguments("trainer.max_steps", "model.max_steps")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        words = [word for word in args if word.partition("=")[0] != PRINT]
        try:
            self.config = parser.parse_args(words)
            if len(words) < len(args) and not self.config.recipe:
                parser.parse_args(args)
        except (ValueError, TypeError, RecursionError, OverflowError) as error:  # of values that are none in YAML
            parser.error(str(error), error)
        check_settings(self.config, {"model": GenomeModule.__init__, "data": self.application.data.load().__init__})
        if not 0 <= self.config.seed_everything < 1 << 32:
            message = f"expected a number from 0 to {(1 << 32) - 1}, found {self.config.seed_everything}."
            raise UsageError("CONFIG-003", message, where="seed_everything")
        self.choices = choose_from_data(self.config, words, self.application)
        if len(words) < len(args):
            print(self._dumped(), end="")
            parser.exit()

    def before_instantiate_classes(self) -> None:
        """What is wrong with the configuration is said before a folder is made."""
        if not self.allows_code:
            check_parsed(self.config)
        self.work_dir = run_folder(self.config.name)
        if self.config.trainer.max_steps < 1:
            raise UsageError(
                "CONFIG-003", f"expected a number of steps, found {self.config.trainer.max_steps}.",
                where="trainer.max_steps", fix="Give --trainer.max_steps N.",
            )  # fmt: skip
        check_strategy(self.config.trainer.strategy)
        check_processes(self.config.trainer.devices, self.config.trainer.num_nodes)
        if self.config.checkpoint_every_n_steps < 1:
            raise UsageError("CONFIG-003", "must be at least 1.", where="checkpoint_every_n_steps")
        check_steps(self.config.trainer)
        check_rates(self.config.model)
        if self.config.ckpt_path:
            check_checkpoint_path(self.config.ckpt_path)
        self.config_text = self._dumped()
        self.digest = config_digest(yaml.safe_load(self.config_text))

    def _dumped(self) -> str:
        """The configuration as text."""
        # With what is null, as it need not be so by default; that argument has two names in versions of jsonargparse.
        return str(self.parser.dump(self.config, "parser_mode", False))

    def instantiate_classes(self) -> None:
        with missing_package_named():
            super().instantiate_classes()
        # The task first: it says what is wrong with its settings, which the data takes as they are.
        self.model.begin(self.application.task.load())
        config = self.model.bundle_config
        reading = ModelReading.of(
            task=config.task, k=config.k, stride=config.stride, encoder=config.encoder, options=config.options
        )
        self.datamodule.bind(reading, seed=self.config.seed_everything, work_dir=self.work_dir)
        self.datamodule.check_model(self.model.encoder_config, self.model.tile_plan)

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        folder = Path(self.work_dir)
        is_fit = self.command == "fit"
        callbacks = run_callbacks(
            folder, self.stop, config_digest=self.digest, every_n_steps=self.config.checkpoint_every_n_steps,
            monitor=self.config.monitor, is_staged=self.application.finish is not None and not self.left_out,
        )  # fmt: skip
        if self.application.callbacks:
            callbacks = [*callbacks, *self.application.callbacks.load()()]
        if self.config.trainer.enable_progress_bar is not False:
            self.display = display_for()
            what = f"training without {self.left_out}" if self.left_out else "training"
            callbacks.append(RunProgress(self.display, tuple(self.application.scores), what=what))
        trainer_config = {**self.config_init.trainer, "plugins": run_plugins(), "default_root_dir": str(folder)}
        own = MetricsLog(folder / "metrics.csv")
        trainer_config["logger"] = run_loggers(own, trainer_config.get("logger")) if is_fit else False
        try:
            trainer = self._instantiate_trainer(trainer_config, callbacks)
        except Exception as error:
            if not is_refusal(error):
                raise
            raise UsageError("CONFIG-030", " ".join(str(error).split()), where="trainer") from error
        remaining = [timer.time_remaining() for timer in callbacks_of(trainer, Timer)]
        if any(seconds is not None and seconds <= 0 for seconds in remaining):
            raise UsageError("CONFIG-003", "there is no time for a step.", where="trainer.max_time")
        return trainer

    def inner(self, fold: Fold, *, validates: bool) -> "GenoformerCLI":
        """The same configuration and seed for the network of a fold, with model and trainer of its own.

        Args:
            fold: What it leaves out; its steps are those of the learning rate, too.
            validates: There is something to validate on; otherwise the last weights are the model.
        """
        inner, config = copy.copy(self), self.config.clone()
        config.name = str(fold.folder.relative_to("runs"))
        config.trainer.max_steps = config.model.max_steps = fold.steps
        # What others log is the run's own network.
        config.trainer.logger = None
        if not validates:
            config.trainer.limit_val_batches = 0
        inner.config, inner.left_out = config, fold.group
        inner._set_seed()
        with contextlib.nullcontext() if self.allows_code else only_trusted_imports():
            inner.before_instantiate_classes()
            inner.instantiate_classes()
        return inner


def run_lightning(subcommand: str, argv: Sequence[str]) -> int:
    """Train or score a model.

    Args:
        subcommand: "fit", "validate" or "test".
        argv: Arguments after the subcommand.

    Returns:
        Exit code 0; 128 + signal number when training ended and a signal had asked to stop.

    Raises:
        GenoformerError: For everything a user can cause.
        SystemExit: With 128 + signal number, after a checkpoint was written.
    """
    quieten_lightning()
    with received_signals() as stop:
        words = [word for word in argv if word != ALLOW_CODE]
        cli = GenoformerCLI(subcommand, prepare_arguments(words), stop, allows_code=len(words) < len(argv))
        digests = {"config": cli.digest, "input": cli.datamodule.input_digest()}
        if subcommand == "fit":
            check_folds(cli.datamodule, finish_of(cli.application))
        folder = RunFolder(cli.work_dir)
        # Of several processes that train together, the first one owns the folder.
        lock = folder_lock(folder.path) if cli.trainer.is_global_zero else contextlib.nullcontext()
        with _empty_removed(folder), lock:
            with loading_ended(cli.trainer), watched_by(cli.display), said_on(cli.display), kept_said(folder, stop):
                _fit(cli, folder, digests) if subcommand == "fit" else _score(cli, folder)
    return 128 + stop.signal_number if stop.is_made else 0


@contextlib.contextmanager
def _empty_removed(folder: RunFolder) -> Iterator[None]:
    """A run that has failed before it made anything leaves no folder."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            folder.path.rmdir()
            folder.path.parent.rmdir()
        raise


def _fit(cli: GenoformerCLI, folder: RunFolder, digests: dict[str, str]) -> None:
    # Labels that do not fit are an error before anything is noted in the folder.
    build_for(cli.model, cli.datamodule)
    if cli.trainer.is_global_zero:
        if folder.is_finished(digests, overwrite=cli.config.overwrite):
            print(f"nothing to do: {folder.model} is trained")
            return
        lines = [*choice_lines(cli.choices), *start_lines(_start_rows(cli, folder))]
        print("\n".join(lines), file=sys.stderr, flush=True)
        cli.datamodule.prepare_data()
        cli.datamodule.setup()
        folds_of(cli, folder)
        # Not before it is sure that the input can be read: other input would be that of another run.
        folder.write_state(digests, finished=False)
        write_text_atomic(folder.path / "config.yaml", cli.config_text)
        for line in leakage_lines(cli.datamodule):
            print(f"genoformer: {line}", file=sys.stderr)
    elif folder.is_finished_as(digests):
        return
    if cli.config.init_from:
        start_from(cli.model, cli.config.init_from)
    freeze(cli.model)
    with _reported(cli, folder):
        train(cli.trainer, cli.model, cli.datamodule, folder, cli.stop, cli.config.ckpt_path)
        folds = train_networks(cli, folder, digests)
        if cli.trainer.is_global_zero:
            _finish(cli, folder, folds)
    if cli.trainer.is_global_zero:
        folder.write_state(digests, finished=True)
        _say_result(cli, folder)


def _start_rows(cli: GenoformerCLI, folder: RunFolder) -> dict[str, str]:
    batch_size = cli.datamodule.batches.loader.batch_size
    return start_rows(cli.model, cli.trainer, folder, cli.application, batch_size=batch_size)


@contextlib.contextmanager
def _reported(cli: GenoformerCLI, folder: RunFolder) -> Iterator[None]:
    """However training ends, there is a report where there is a model."""
    try:
        yield
    except BaseException as error:
        _report(cli, folder, ending_of(error))
        raise
    _report(cli, folder, "")


def _report(cli: GenoformerCLI, folder: RunFolder, ending: str) -> None:
    if not cli.trainer.is_global_zero or not (folder.best_model / "manifest.json").is_file():
        return
    with written_or_said("report.html"):
        card, fitted = model_texts(folder.best_model)
        run = RunFacts(
            name=cli.config.name, task=cli.model.bundle_config.task, title=cli.application.title,
            channels=cli.model.task.channels, scores=cli.application.scores, monitor=cli.config.monitor,
            max_steps=cli.model.max_steps, facts=_start_rows(cli, folder), ending=ending, card=card,
            config=cli.config_text, fitted=fitted, commands=_next(cli, folder),
        )  # fmt: skip
        write_report(folder, run, picture=not ending)


def _finish(cli: GenoformerCLI, folder: RunFolder, folds: list[Fold]) -> None:
    cli.predicts = cli.application.predictor is not None
    if finish := finish_of(cli.application):
        precision = model_precision(cli.trainer)
        lines = finish_bundle(folder.staged, folder.model, cli.datamodule, finish, precision=precision, folds=folds)
        for line in lines:
            cli.predicts = False
            print(f"genoformer: {line}", file=sys.stderr)


def _next(cli: GenoformerCLI, folder: RunFolder) -> str:
    return next_command(cli.application, folder.model, predicts=cli.predicts)


def _say_result(cli: GenoformerCLI, folder: RunFolder) -> None:
    """Scores, model, and what to do with it."""
    best = RunHistory.read(folder.metrics).best(cli.config.monitor)
    if best is not None:
        print("\n".join(score_lines(*best, cli.application.scores, cli.model.task.channels)))
    print(f"model: {folder.model}")
    print(f"report: {folder.report}")
    print(f"next: {_next(cli, folder)}", flush=True)


def _score(cli: GenoformerCLI, folder: RunFolder) -> None:
    """Score the weights of a checkpoint, a bundle, or the run's own model."""
    build_for(cli.model, cli.datamodule)
    if cli.config.ckpt_path:
        freeze(cli.model)
        checkpoint = AtomicCheckpointIO().load_checkpoint(cli.config.ckpt_path, map_location="cpu")
        check_weights(cli.model, checkpoint["state_dict"], cli.config.ckpt_path)
        cli.model.load_state_dict(checkpoint["state_dict"])
    else:
        load_weights(cli.model, cli.config.init_from or str(folder.best_model))
    run = cli.trainer.validate if cli.command == "validate" else cli.trainer.test
    metrics = run(cli.model, datamodule=cli.datamodule, verbose=False)[0]
    write_json_atomic(folder.path / f"{cli.command}.json", {k: v for k, v in metrics.items() if v == v})
    print(json.dumps(metrics, indent=2))
