"""Memory settings of the C library: large temporaries are reused instead of given back to the system and faulted in."""

import ctypes
import platform
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3


def tune_allocator() -> bool:
    """Ask glibc to keep freed memory; call it once, before the first large tensor.

    Elsewhere than on Linux with glibc nothing happens.

    Returns:
        True if the settings were taken.

    Reference:
        mallopt(3), Linux manual pages.
    """
    if not _is_glibc():
        return False
    mallopt = ctypes.CDLL("libc.so.6").mallopt
    taken = [mallopt(M_TRIM_THRESHOLD, 2**31 - 1) == 1, mallopt(M_TOP_PAD, 2**28) == 1]
    # Older versions refuse more than half of their largest heap, 32 MiB.
    taken.append(any(mallopt(M_MMAP_THRESHOLD, size) == 1 for size in (2**30, 2**25)))
    return all(taken)


def give_back() -> bool:
    """Give the system what is free, when the large tensors are behind: smaller arrays would lie between what is kept.

    Returns:
        True if anything was given back.

    Reference:
        malloc_trim(3), Linux manual pages.
    """
    return _is_glibc() and ctypes.CDLL("libc.so.6").malloc_trim(0) == 1


def _is_glibc() -> bool:
    return sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc"
