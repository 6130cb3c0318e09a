"""What the settings of every task with a pair head must be."""

LEAST = {"channels": 1, "rank": 1, "n_convolutions": 0, "width": 1}


def check_pair_head_options(options, *, least_bp: int) -> None:
    """ValueError, with a sentence that names the setting, if one is out of range.

    Args:
        options: With the attributes max_bp, channels, rank, n_convolutions, width and head_dropout.
        least_bp: Least ``max_bp``.
    """
    for option, least in {"max_bp": least_bp, **LEAST}.items():
        value = getattr(options, option)
        if not isinstance(value, int) or value < least:
            raise ValueError(f"{option} must be a whole number of at least {least}, not {value!r}.")
    if options.width % 2 == 0:
        raise ValueError(f"width must be odd, not {options.width}.")
    if not isinstance(options.head_dropout, int | float) or not 0 <= options.head_dropout < 1:
        raise ValueError(f"head_dropout must be at least 0 and below 1, not {options.head_dropout!r}.")
