"""Profiles of RNA genes as a bundle has them."""

from genoformer.bundle.folder import Bundle
from genoformer.decoding.rna.finder import RnaFinder
from genoformer.errors import DataError
from genoformer.inference.bundle_digests import RNA


def read_profiles(bundle: Bundle) -> RnaFinder | None:
    """The profiles of a bundle; None where it has none.

    Raises:
        DataError: If they are something else.
    """
    stored = bundle.calibration.get(RNA)
    if stored is None:
        return None
    try:
        return RnaFinder.from_dict(stored)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        message = f"calibration.json holds no profiles of RNA genes ({error})."
        raise DataError("MODEL-008", message, where=bundle.name) from error
