"""The model card of an exported folder: ``README.md``, as hubs of models show it."""

from genoformer.sequence.kmers import KmerTokenizer

README = "README.md"
_FRONT = """---
library_name: transformers
pipeline_tag: {pipeline}
tags:
- dna
- genomics
- {kind}
- genoformer
---

# {name}

An encoder of DNA that genoformer wrote in the layout of transformers: {model}.
"""
_WORDS = """
The tokenizer reads k-mers with blanks between them. From a raw sequence:

```python
def words(bases, k={k}, stride={stride}):
    padded = bases + "N" * k
    kmers = [padded[i : i + k] for i in range(0, len(bases), stride)]
    return " ".join("[MASK]" if "?" in kmer else kmer for kmer in kmers)  # "?" hides a base
```

`genoformer.interop.kmer_text` is the same. A k-mer with another letter than A, C, G, T and U is unknown.
"""
_FILL = """
```python
from transformers import pipeline

fill = pipeline("fill-mask", model="{name}")
fill(words("ACGTACGTACGT?CGTACGT"))
```

A token owns the first {stride} of its {k} bases, and the head says of these alone what they are: k-mers that begin
with the same {stride} have equal logits. To hide a base, hide every token that touches it, as `words` does.
"""
_HIDDEN = """
```python
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{name}")
model = AutoModel.from_pretrained("{name}"{pooler})
hidden = model(**tokenizer(words("ACGTACGTACGT"), return_tensors="pt")).last_hidden_state
```
"""
_GLOBAL = """
The tokenizer puts {n} × `[CLS]` in front. These were global in training: say so with `global_attention_mask`, which
pipelines do not.
"""


def export_card(
    name: str, architecture: str, tokenizer: KmerTokenizer | None, *, n_global_tokens: int, about: str = ""
) -> str:
    """Text of the card.

    Args:
        name: Of the model.
        architecture: Class of transformers.
        tokenizer: Whose ids are read; None if there is none in the folder.
        n_global_tokens: Tokens in front.
        about: The card of the model that was exported.
    """
    fills = architecture.endswith("ForMaskedLM")
    kind = "reformer" if architecture.startswith("Reformer") else "longformer"
    pipeline = "fill-mask" if fills else "feature-extraction"
    parts = [_FRONT.format(pipeline=pipeline, kind=kind, name=name, model=f"`{architecture}`")]
    if tokenizer is not None:
        pooler = ", add_pooling_layer=False" if kind == "longformer" else ""
        use = _FILL if fills else _HIDDEN
        sizes = {"k": tokenizer.k, "stride": tokenizer.stride}
        parts += [_WORDS.format(**sizes), use.format(**sizes, name=name, pooler=pooler)]
    if n_global_tokens:
        parts.append(_GLOBAL.format(n=n_global_tokens))
    if about:
        quoted = (f"> {line}".rstrip() + "\n" for line in about.splitlines())
        parts += ["\nThe model that it was made from says of itself:\n\n", *quoted]
    return "".join(parts)
