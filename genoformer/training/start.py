"""What a new run starts from: outputs that follow from the data, and weights of a bundle."""

from genoformer.bundle.folder import Bundle, load_bundle
from genoformer.errors import UsageError
from genoformer.nn.attention import ATTENTIONS
from genoformer.training.adapters import add_adapters
from genoformer.training.interface import NamesOutputs, TrainingData
from genoformer.training.module import GenomeModule
from genoformer.training.train import load_weights

FREE_SETTINGS = ("dropout",)
"""Settings of an encoder that its weights do not depend on; each architecture of attention names more of its own."""


def build_for(module: GenomeModule, data: TrainingData) -> None:
    """Make the network of a task whose outputs follow from the labels, and has none yet.

    Raises:
        TypeError: If the data do not name the outputs.
    """
    if module.is_built:
        return
    data.setup()
    if not isinstance(data, NamesOutputs):
        raise TypeError(f"expected data that name the outputs of {module.bundle_config.task}, found {data!r}.")
    module.build(data.channels, getattr(data, "ontology", None))


def start_from(module: GenomeModule, path: str) -> None:
    """Give a new run the weights of a bundle: all of them for the same task and outputs, else those of the encoder.

    Raises:
        UsageError: If tokens or encoders differ.
    """
    bundle = load_bundle(path)
    mine, its = module.bundle_config, bundle.config
    if (mine.task, mine.labels) == (its.task, its.labels):
        load_weights(module, path)
        return
    if differing := _differences(mine, bundle):
        raise UsageError(
            "CONFIG-012", f"the encoder in {path} is built otherwise than the configuration says: "
            f"{', '.join(differing)}.", where="--init_from", fix="Use its encoder, k and stride.",
        )  # fmt: skip
    module.model.encoder.load_state_dict(bundle.model.encoder.state_dict())


def freeze(module: GenomeModule) -> None:
    """Keep the weights that the settings of a module name as they are, and add its adapters.

    Raises:
        UsageError: If there are fewer layers than shall be frozen.
    """
    encoder = module.model.encoder
    if module.freeze_layers > len(encoder.layers):
        raise UsageError(
            "CONFIG-015", f"there are {len(encoder.layers)} layers, {module.freeze_layers} cannot be frozen.",
            where="model.freeze_layers",
        )  # fmt: skip
    if module.freeze_layers == -1 or module.adapter_rank:
        encoder.requires_grad_(False)
    elif module.freeze_layers:
        kept = [*encoder.layers[module.freeze_layers :], encoder.final_norm]
        encoder.requires_grad_(False)
        for part in kept:
            part.requires_grad_(True)
    if module.adapter_rank:
        add_adapters(encoder, module.adapter_rank)


def _differences(mine, bundle: Bundle) -> list[str]:
    its = bundle.config
    kept = [name for name in mine.encoder if name not in (*FREE_SETTINGS, "attention")]
    names = [name for name in kept if mine.encoder[name] != its.encoder[name]]
    names += _attention_differences(mine.encoder["attention"], its.encoder["attention"])
    return [*(name for name in ("k", "stride") if getattr(mine, name) != getattr(its, name)), *names]


def _attention_differences(mine: dict, its: dict) -> list[str]:
    if mine["name"] != its["name"]:
        return ["attention.name"]
    free = ATTENTIONS[mine["name"]].config.free
    return [f"attention.{name}" for name in mine if name not in free and mine[name] != its[name]]
