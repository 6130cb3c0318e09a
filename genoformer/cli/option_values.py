"""Values of options that several commands share, checked."""

MOST_THREADS = 1_024
"""Far below what systems allow a process: more make nothing faster, and a failed one ends it without a word."""


def positive(value: int, option: str) -> int:
    """The same value; ``UsageError`` if it is no positive number."""
    from genoformer.errors import UsageError

    if value < 1:
        raise UsageError("OPTION-001", f"expected a positive number, found {value}.", where=option)
    return value


def thread_count(value: int) -> int:
    """The same value; ``UsageError`` if it is no number of threads that a process can have."""
    from genoformer.errors import UsageError

    if positive(value, "--threads") > MOST_THREADS:
        raise UsageError("OPTION-001", f"expected at most {MOST_THREADS:,}, found {value}.", where="--threads")
    return value


def check_share(value: float | None, option: str) -> None:
    """``UsageError`` if a value is given that is not from 0 to 1."""
    from genoformer.errors import UsageError

    if value is not None and not 0 <= value <= 1:
        raise UsageError("OPTION-001", f"expected a number from 0 to 1, found {value}.", where=option)


def find_device(name: str):
    """The device of this name; ``UsageError`` if it cannot be used."""
    import torch

    from genoformer.errors import UsageError

    try:
        device = torch.device(name)
        torch.empty(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        is_unknown = reason.startswith("Expected one of cpu")
        raise UsageError(
            "DEVICE-001", f'there is no device "{name}".' if is_unknown else f'the device "{name}" fails: {reason}',
            where="--device", fix="Give cpu, cuda or cuda:NUMBER (mps on a Mac).",
        ) from error  # fmt: skip
    return device
