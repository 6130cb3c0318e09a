"""CDS features of flat files that stand for one exon each: some exports write them in place of one joined CDS."""

from collections import defaultdict
from itertools import pairwise

from Bio.Seq import UndefinedSequenceError
from Bio.SeqFeature import CompoundLocation, SeqFeature
from Bio.SeqRecord import SeqRecord

from genoformer.annotation.genetic_code import codon_indices, get_genetic_code
from genoformer.errors import UsageError, WarningLog
from genoformer.sequence.alphabet import encode_bases


def join_exon_features(record: SeqRecord, where: str, warnings: WarningLog) -> list[SeqFeature]:
    """The CDS features of a record, those of one locus tag made one where each is an exon.

    They are exons when they lie on one strand, apart from each other, name no different proteins, and not every one of
    them is a reading frame that ends in a stop codon. A gene name does not join: copies have one name.

    Args:
        record: As Biopython reads it.
        where: File and record, for warnings.
        warnings: Counts what was joined.
    """
    by_tag: dict[tuple[str, ...], list[SeqFeature]] = defaultdict(list)
    features = [feature for feature in record.features if feature.type == "CDS"]
    for number, feature in enumerate(features):
        by_tag[tuple(feature.qualifiers.get("locus_tag", [])) or ("", str(number))].append(feature)
    joined: list[SeqFeature] = []
    for tag, members in by_tag.items():
        if len(members) > 1 and _are_exons(members, record):
            warnings.add("GENBANK-104", f"{where}: {len(members)} CDS features of {tag[0]!r} are read as one CDS")
            members = [_join(members)]
        joined += members
    return joined


def _are_exons(members: list[SeqFeature], record: SeqRecord) -> bool:
    if any(feature.location is None or feature.location.strand not in (1, -1) for feature in members):
        return False
    try:
        spans = sorted((int(part.start), int(part.end)) for feature in members for part in feature.location.parts)
    except TypeError:  # a place that the file calls unknown
        return False
    proteins = {name for feature in members for name in feature.qualifiers.get("protein_id", [])}
    is_apart = all(end <= following for (_, end), (following, _) in pairwise(spans))
    on_one_strand = len({feature.location.strand for feature in members}) == 1
    return is_apart and on_one_strand and len(proteins) < 2 and not all(_is_whole(each, record) for each in members)


def _is_whole(feature: SeqFeature, record: SeqRecord) -> bool:
    """Whether a feature is whole codons from its first base on, and ends in a stop codon as far as this can be seen."""
    if len(feature) % 3 or feature.qualifiers.get("codon_start", ["1"])[0] != "1":
        return False
    try:
        last = encode_bases(bytes(feature.extract(record.seq))[-3:])
        code = get_genetic_code(int(feature.qualifiers.get("transl_table", ["1"])[0]))
    except (UndefinedSequenceError, UsageError, ValueError):
        return True
    if len(last) < 3:  # the feature lies behind the end of the record
        return True
    index = int(codon_indices(last)[0])
    return index >= 0 and bool(code.stop_mask[index])


def _join(members: list[SeqFeature]) -> SeqFeature:
    """One feature over all, with what the first in reading direction says, and what only others say."""
    is_minus = members[0].location.strand == -1
    in_order = sorted(members, key=lambda feature: int(feature.location.start), reverse=is_minus)
    qualifiers = {name: values for feature in in_order[::-1] for name, values in feature.qualifiers.items()}
    qualifiers["codon_start"] = in_order[0].qualifiers.get("codon_start", ["1"])
    parts = [part for feature in in_order for part in feature.location.parts]
    return SeqFeature(CompoundLocation(parts), type="CDS", qualifiers=qualifiers)
