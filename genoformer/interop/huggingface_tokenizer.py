"""The tokenizer of DNABERT-style text, k-mers with spaces between them, and vocabularies of k-mers in any order."""

from pathlib import Path

from genoformer.errors import DataError
from genoformer.files import write_json_atomic
from genoformer.interop.huggingface_files import TOKENIZER
from genoformer.sequence.kmers import CLS_ID, MAX_K, N_SPECIAL, SPECIAL_NAMES, KmerTokenizer

TOKENIZER_CONFIG = "tokenizer_config.json"
PAD, UNK, CLS, SEP, MASK = SPECIAL_NAMES
READ_AS = {"a": "A", "c": "C", "g": "G", "t": "T", "u": "T", "U": "T"}
"""What ``encode_bases`` does to letters."""


def write_tokenizer(folder: Path, tokenizer: KmerTokenizer, *, max_tokens: int, n_global_tokens: int) -> None:
    """Write what ``AutoTokenizer`` reads.

    It gives ``KmerTokenizer.token_id`` of every word, with ``n_global_tokens`` [CLS] in front, as in training. A word
    that is no k-mer, for which ``token_id`` raises, is [UNK] there.

    Args:
        folder: Where to.
        tokenizer: Whose ids are written.
        max_tokens: Longest input of the model.
        n_global_tokens: Tokens in front.
    """
    write_json_atomic(folder / TOKENIZER, _tokenizer_json(tokenizer, n_global_tokens))
    write_json_atomic(folder / TOKENIZER_CONFIG, {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": max_tokens, "padding_side": "right",
        "clean_up_tokenization_spaces": False, "model_input_names": ["input_ids", "attention_mask"],
        "pad_token": PAD, "unk_token": UNK, "cls_token": CLS, "sep_token": SEP, "mask_token": MASK,
    })  # fmt: skip


def kmer_text(bases: str, tokenizer: KmerTokenizer, hidden: str = "?") -> str:
    """A raw sequence as the text that the tokenizer of an exported folder reads: its ids are those of ``encode``.

    Args:
        bases: Letters, upper or lower case; N stands in behind the end.
        tokenizer: Of the model.
        hidden: Stands for a base that is not shown: every k-mer that touches it is [MASK].

    Example:
        >>> kmer_text("ACG?TAC", KmerTokenizer(k=3, stride=2))
        'ACG [MASK] TAC CNN'
    """
    padded = bases + "N" * tokenizer.k
    words = (padded[i : i + tokenizer.k] for i in range(0, len(bases), tokenizer.stride))
    return " ".join(MASK if hidden in word else word for word in words)


def tokenizer_of_size(vocab_size: int, stride: int) -> KmerTokenizer | None:
    """The tokenizer that has as many ids; None if there is none."""
    sizes = {N_SPECIAL + 4**k: k for k in range(1, MAX_K + 1)}
    k = sizes.get(vocab_size)
    return KmerTokenizer(k=k, stride=min(stride, k)) if k else None


def kmer_rows(vocabulary: dict[str, int], where: str) -> tuple[int, list[int]]:
    """Where a vocabulary of k-mers has each of our token ids; words decide, never their order.

    Args:
        vocabulary: Words and their rows.
        where: The file, for messages.

    Returns:
        (k, rows): the row of token id ``i`` is ``rows[i]``, 5 + 4 ** k of them.

    Raises:
        DataError: If a special token or a k-mer is missing, or a word is something else.
    """
    words = [word for word in vocabulary if word not in SPECIAL_NAMES]
    k = len(words[0]) if words else 0
    for word in words:
        if len(word) != k or not 1 <= k <= MAX_K or set(word) - set("ACGT"):
            raise DataError(
                "HF-011", f'expected a vocabulary of k-mers over ACGT, k the same and at most {MAX_K}; found "{word}".',
                where=where, fix="Only models over k-mers can be read.",
            )  # fmt: skip
    tokenizer = KmerTokenizer(k=max(k, 1))
    wanted = [tokenizer.kmer(token_id) for token_id in range(tokenizer.vocab_size)]
    if missing := [word for word in wanted if word not in vocabulary]:
        raise DataError("HF-011", f"the vocabulary lacks {missing[0]} and {len(missing) - 1} others.", where=where)
    return k, [vocabulary[word] for word in wanted]


def our_tokenizer(vocabulary: dict[str, int]) -> KmerTokenizer | None:
    """The ``KmerTokenizer`` of stride 1 that gives exactly these ids; None if there is none."""
    try:
        k, rows = kmer_rows(vocabulary, "")
    except DataError:
        return None
    return KmerTokenizer(k=k) if rows == list(range(len(rows))) else None


def _tokenizer_json(tokenizer: KmerTokenizer, n_global_tokens: int) -> dict:
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_special_token(token_id, name) for token_id, name in enumerate(SPECIAL_NAMES)],
        "normalizer": {"type": "Sequence", "normalizers": [_replacement(*pair) for pair in READ_AS.items()]},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": _tokens_in_front(n_global_tokens) if n_global_tokens else None,
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {tokenizer.kmer(token_id): token_id for token_id in range(tokenizer.vocab_size)},
            "unk_token": UNK,
        },
    }


def _special_token(token_id: int, name: str) -> dict:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": token_id, "content": name, "special": True, **flags}


def _replacement(letter: str, read_as: str) -> dict:
    return {"type": "Replace", "pattern": {"String": letter}, "content": read_as}


def _tokens_in_front(n_tokens: int) -> dict:
    front = [{"SpecialToken": {"id": CLS, "type_id": 0}}] * n_tokens
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    return {
        "type": "TemplateProcessing",
        "single": [*front, first],
        "pair": [*front, first, second],
        "special_tokens": {CLS: {"id": CLS, "ids": [CLS_ID], "tokens": [CLS]}},
    }
