"""Models of other programs: encoders and masked-language heads from and to folders in the layout of Hugging Face."""

from genoformer.interop.huggingface_export import to_huggingface
from genoformer.interop.huggingface_import import from_huggingface
from genoformer.interop.huggingface_tokenizer import kmer_text

__all__ = ["from_huggingface", "kmer_text", "to_huggingface"]
