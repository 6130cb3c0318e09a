"""Contacts of residues as a map."""

from genoformer.applications.contacts.writers import n_listed
from genoformer.errors import counted
from genoformer.inference.sequence_caller import SequencePrediction
from genoformer.report.markup import Markup, element
from genoformer.report.svg_axes import drawing, line_between, place, round_ticks, text_at, tick_text

SIDE, LEFT, TOP = 320.0, 40.0, 8.0
N_SHADES = 8
"""Pairs of one shade are one shape, or a long protein would be thousands."""


def draw(result: SequencePrediction) -> Markup:
    """A square for each pair of the table, the surer the darker; nothing for a sequence without one."""
    n_codons, n = result.length // 3, n_listed(result.record)
    pairs, sure = result.outputs["pairs"][:n], result.outputs["probability"][:n]
    if not len(pairs):
        return Markup("")
    step = SIDE / n_codons
    shades: dict[int, list[str]] = {}
    for (i, j), value in zip(pairs.tolist(), sure.tolist(), strict=True):
        square = f"h{place(step)}v{place(step)}h-{place(step)}z"
        both = (f"M{place(LEFT + a * step)} {place(TOP + b * step)}{square}" for a, b in ((i, j), (j, i)))
        shades.setdefault(min(N_SHADES - 1, int(value * N_SHADES)), []).extend(both)
    shapes = [
        element("path", d="".join(shades[shade]), class_="fill-0", fill_opacity=f"{(shade + 1) / N_SHADES:.2f}")
        for shade in sorted(shades)
    ]
    for tick in round_ticks(0, n_codons):
        if tick <= n_codons:
            shapes.append(text_at(LEFT + tick * step, TOP + SIDE + 15, tick_text(tick)))
            shapes.append(text_at(LEFT - 5, TOP + tick * step + 4, tick_text(tick), anchor="end"))
    corner = (LEFT, TOP, LEFT + SIDE, TOP + SIDE)
    shapes += [
        line_between(*corner, "grid"),
        element("rect", x=LEFT, y=TOP, width=SIDE, height=SIDE, class_="line axis"),
    ]
    shapes.append(text_at(LEFT + SIDE / 2, TOP + SIDE + 30, "codon", class_="label"))
    return drawing(result.record_id, in_words(result), *shapes, size=(LEFT + SIDE + 16, TOP + SIDE + 38))


def in_words(result: SequencePrediction) -> str:
    """How much was found."""
    listed = min(n_listed(result.record), len(result.outputs["pairs"]))
    return f"the {counted(listed, 'likeliest pair')} of {counted(result.length // 3, 'codon')}"
