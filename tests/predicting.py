"""Predictions of a bundle by request, without the command line: what its commands do with a ``Job``."""

from pathlib import Path

from genoformer.applications import find_application, result_names
from genoformer.bundle.folder import load_bundle
from genoformer.bundle.header import BundleHeader, read_header
from genoformer.inference import run, shards
from genoformer.inference.interface import Speed
from genoformer.inference.run import Job
from genoformer.inference.shards import Shard, Shards, read_shards


def job(model, paths, request, *, batch_size=2, **more):
    """A prediction of FASTA files.

    Args:
        model: Folder of a bundle, name of a shipped model, or a header.
        paths: FASTA files.
        request: What to do; its precision is that of the model pass, too.
        batch_size: Tiles per model call.
        more: Other attributes of ``Job``.
    """
    header = model if isinstance(model, BundleHeader) else read_header(model)
    predictor = find_application(header.config.task, where=header.name).predictor.load()

    def load(paths, scan, work):
        return predictor.from_bundle(request, load_bundle(header), Speed(batch_size, request.precision))

    return Job([str(path) for path in paths], request, header, load, result_names(), **more)


def predict(model, paths, request, out, *, overwrite=False, dry_run=False, **more):
    """Content of ``summary.json`` of a prediction in one run; arguments as for ``job`` and ``run.predict``."""
    return run.predict(job(model, paths, request, **more), out, overwrite=overwrite, dry_run=dry_run)


def predict_shard(model, paths, request, parts, number, of, *, overwrite=False, **more):
    """Folder of one shard; arguments as for ``job`` and ``shards.predict_shard``."""
    name = model.folder if isinstance(model, BundleHeader) else model
    made = job(model, paths, request, **more)
    return shards.predict_shard(made, parts, Shard(number, of), model=str(name), overwrite=overwrite)[0]


def merge(parts: Path, out: Path, model=None):
    """Content of ``summary.json`` of all shards together, by the model that made them unless another is given."""
    found: Shards = read_shards(parts)
    header = read_header(model or found.model)
    request = find_application(header.config.task, where=header.name).request.load().from_dict(found.request)
    return shards.merge_shards(job(header, found.inputs, request), found, out)


def interrupted(read, n):
    """What gives the pieces that ``read`` gives, but for the ``n``-th of all its calls: an interrupt."""
    given = []

    def read_on(*args, **options):
        for piece in read(*args, **options):
            given.append(1)
            if len(given) == n:
                raise KeyboardInterrupt
            yield piece

    return read_on
