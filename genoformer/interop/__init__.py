"""Models of other programs: encoders read from, and written to, folders in the layout of Hugging Face."""

from genoformer.interop.huggingface_export import to_huggingface
from genoformer.interop.huggingface_import import from_huggingface

__all__ = ["from_huggingface", "to_huggingface"]
