"""k-mer tokens: bases to token ids and back to text."""

from dataclasses import dataclass

import numba
import numpy as np

from genoformer.sequence.alphabet import BASE_LETTERS, N_CODE, checked_codes, encode_bases

PAD_ID, UNK_ID, CLS_ID, SEP_ID, MASK_ID = range(5)
SPECIAL_NAMES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
N_SPECIAL = len(SPECIAL_NAMES)
MAX_K = 8


def encode_kmers(codes: np.ndarray, *, k: int, stride: int = 1) -> np.ndarray:
    """Turn base codes of one strand into k-mer token ids.

    Token ``i`` covers bases ``[i * stride, i * stride + k)``. A k-mer that touches anything but A, C, G or T
    becomes ``UNK_ID``: an unknown base is never read as a known one. Any other id is ``N_SPECIAL`` plus the k-mer
    read as a number of base 4, first base most significant.

    Args:
        codes: uint8 base codes, shape [L].
        k: Bases per token, 1 to 8.
        stride: Bases between token starts, 1 to ``k``; 1 overlaps, ``k`` tiles.

    Returns:
        int32 token ids, shape [T], T = (L - k) // stride + 1. Special tokens are not added.

    Raises:
        ValueError: If ``k`` or ``stride`` is out of range, or the sequence is shorter than ``k``.

    Example:
        >>> encode_kmers(encode_bases("ACGTN"), k=3).tolist()
        [11, 32, 1]
    """
    _check_sizes(k, stride)
    codes = np.ascontiguousarray(checked_codes(codes))
    if len(codes) < k:
        raise ValueError(f"expected at least k = {k} bases, found {len(codes)}")
    token_ids = np.empty((len(codes) - k) // stride + 1, dtype=np.int32)
    if stride == 1:
        _fill_overlapping(codes, k, token_ids)
    else:
        _fill_strided(codes, k, stride, token_ids)
    return token_ids


def tokenize_record(codes: np.ndarray, *, k: int, stride: int, lookahead: np.ndarray | None = None) -> np.ndarray:
    """Tokens that own every base: token ``i`` owns ``[i * stride, (i + 1) * stride)`` and covers ``k`` bases.

    The last tokens reach past the end. A piece from inside a record passes the bases that follow it as ``lookahead``;
    where they run out, and at the record's end, N stands in, and these tokens are ``UNK_ID``.

    Args:
        codes: uint8 base codes, shape [L]; may be shorter than ``k``, or empty.
        k: Bases per token, 1 to 8.
        stride: Bases each token owns, 1 to ``k``.
        lookahead: uint8 base codes that follow ``codes`` in the record; only as many as needed are read.

    Returns:
        int32 token ids, shape [ceil(L / stride)].

    Raises:
        ValueError: If ``k`` or ``stride`` is out of range.
    """
    _check_sizes(k, stride)
    n_tokens = -(-len(codes) // stride)
    if n_tokens == 0:
        return np.empty(0, dtype=np.int32)
    padded = np.full((n_tokens - 1) * stride + k, N_CODE, dtype=np.uint8)
    n_own = min(len(codes), len(padded))
    padded[:n_own] = codes[:n_own]
    if lookahead is not None:
        n_ahead = min(len(lookahead), len(padded) - n_own)
        padded[n_own : n_own + n_ahead] = lookahead[:n_ahead]
    return encode_kmers(padded, k=k, stride=stride)


@dataclass(frozen=True)
class KmerTokenizer:
    """The tokenizer of one model: its ``k`` and ``stride``, and what its token ids mean.

    Attributes:
        k: Bases per token, 1 to 8.
        stride: Bases each token owns, 1 to ``k``.
    """

    k: int
    stride: int = 1

    def __post_init__(self) -> None:
        _check_sizes(self.k, self.stride)

    @property
    def vocab_size(self) -> int:
        """Number of token ids: the special ones and 4 ** k k-mers."""
        return N_SPECIAL + 4**self.k

    def encode(self, codes: np.ndarray, lookahead: np.ndarray | None = None) -> np.ndarray:
        """Token ids that own every base; see ``tokenize_record``."""
        return tokenize_record(codes, k=self.k, stride=self.stride, lookahead=lookahead)

    def owned_bases(self, codes: np.ndarray) -> np.ndarray:
        """The bases that each token owns, uint8 [ceil(L / stride), stride]; N stands in behind the end."""
        padded = np.full(self.n_tokens(len(codes)) * self.stride, N_CODE, dtype=np.uint8)
        padded[: len(codes)] = codes
        return padded.reshape(-1, self.stride)

    def n_tokens(self, n_bases: int) -> int:
        """Number of tokens that own ``n_bases`` bases: ceil(n_bases / stride)."""
        return -(-n_bases // self.stride)

    def kmer(self, token_id: int) -> str:
        """Text of a token id: the k-mer, or the name of a special token such as "[UNK]".

        Raises:
            ValueError: If ``token_id`` is not below ``vocab_size``, or negative.
        """
        if not 0 <= token_id < self.vocab_size:
            raise ValueError(f"expected a token id from 0 to {self.vocab_size - 1}, found {token_id}")
        if token_id < N_SPECIAL:
            return SPECIAL_NAMES[token_id]
        number = int(token_id) - N_SPECIAL
        return "".join(BASE_LETTERS[number >> 2 * (self.k - 1 - i) & 3] for i in range(self.k))

    def token_id(self, text: str) -> int:
        """Token id of a k-mer or of the name of a special token; the inverse of ``kmer``.

        A k-mer with an ambiguous base is ``UNK_ID``.

        Raises:
            ValueError: If ``text`` has not ``k`` letters, or a letter that is not a base.
        """
        if text in SPECIAL_NAMES:
            return SPECIAL_NAMES.index(text)
        if len(text) != self.k:
            raise ValueError(f"expected {self.k} bases, found {len(text)}: {text!r}")
        return int(encode_kmers(encode_bases(text), k=self.k)[0])


def _check_sizes(k: int, stride: int) -> None:
    if not 1 <= k <= MAX_K:
        raise ValueError(f"expected k from 1 to {MAX_K}, found {k}")
    if not 1 <= stride <= k:
        raise ValueError(f"expected stride from 1 to k = {k}, found {stride}")


@numba.njit(cache=True, nogil=True)
def _fill_overlapping(codes, k, token_ids):
    # Rolling: `clean_since` is the first start whose k-mer holds only A, C, G, T.
    mask = (1 << 2 * k) - 1
    number = 0
    clean_since = 0
    for i in range(len(codes)):
        code = np.int64(codes[i])
        number = (number << 2 | code & 3) & mask
        if code > 3:
            clean_since = i + 1
        start = i - k + 1
        if start >= 0:
            token_ids[start] = N_SPECIAL + number if start >= clean_since else UNK_ID


@numba.njit(cache=True, nogil=True)
def _fill_strided(codes, k, stride, token_ids):
    for i in range(len(token_ids)):
        number = 0
        seen = 0
        for j in range(i * stride, i * stride + k):
            code = np.int64(codes[j])
            number = number << 2 | code
            seen |= code
        token_ids[i] = N_SPECIAL + number if seen < 4 else UNK_ID
