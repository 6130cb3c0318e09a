"""What a network refuses to compute. It knows no configuration: callers say which setting leads there."""


class TooManyTokensError(ValueError):
    """The input is longer than the learned positions."""


class BackendError(ValueError):
    """The way in which attention is to be computed cannot run here."""
