"""Property tests without a time limit per example: a busy machine and a first compilation are no failures."""

from hypothesis import settings

settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")
