"""Forms by chance: what accuracy is measured on, and what a page may look like at worst."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.forms.damage import Damage
from training.forms.draw import MM_PER_INCH, Capture, FormSpec
from training.forms.layout import COLOURS, LayoutSpec
from training.forms.sheet import BLANK, FieldKind, Ruling


def random_spec(
    seed: int, *, dpis: Sequence[int] = (150, 200, 300), kinds: Sequence[FieldKind] = tuple(FieldKind)
) -> FormSpec:
    """Return a spec by chance: every kind, line, skew and damage comes up, up to three damages a page.

    Boxes are at least 5 mm and 24 pixels wide, in a header four fifths of that.
    """
    rng = np.random.default_rng((seed, 1))
    kind = kinds[seed % len(kinds)]
    dpi = int(rng.choice(dpis))
    count = int(rng.choice(4, p=(0.34, 0.33, 0.22, 0.11)))
    damages = tuple(Damage(str(name)) for name in rng.choice(list(Damage), count, replace=False))
    box_width = float(rng.uniform(max(5.0, 24 * MM_PER_INCH / dpi), 10.0))
    # Pale lines that one threshold wipes out leave no boxes to find: nobody scans such a form to 1 bit.
    colours = [name for name in COLOURS if name == "black" or Damage.ONE_BIT not in damages]
    colour = COLOURS["black" if rng.random() < 0.5 else str(rng.choice(colours))]
    layout = LayoutSpec(
        values=tuple(_random_values(kind, rng)),
        kind=kind,
        box_width=box_width,
        box_height=box_width * float(rng.uniform(0.9, 1.9 if kind is FieldKind.TABLE else 1.5)),
        gap=box_width * float(rng.uniform(0.12, 0.45)),
        large=float(rng.uniform(1.1, 1.4)) if rng.random() < 0.3 else 1.0,
        header="".join(map(str, rng.integers(0, 10, 6))) if rng.random() < 0.3 else "",
        ruling=Ruling(float(rng.uniform(0.15, 0.7)), colour),
        paragraphs=int(rng.integers(0, 3)),
        word_table=bool(rng.random() < 0.5),
        signatures=int(rng.integers(0, 4)),
        frame=bool(rng.random() < 0.2),
        watermark=bool(rng.random() < 0.15 and Damage.ONE_BIT not in damages),
    )
    degrees = float(rng.choice((0.0, rng.uniform(-2, 2), rng.uniform(-5, 5)), p=(0.3, 0.4, 0.3)))
    return FormSpec(layout, Capture(dpi, degrees, damages), seed)


def _random_values(kind: FieldKind, rng: np.random.Generator) -> list[str]:
    """Return what a page's fields hold: some left blank altogether, some with blank boxes in front."""
    count = int(rng.integers(5, 16))
    table_boxes = int(rng.integers(2, 5))
    values = []
    for _ in range(count):
        boxes = table_boxes if kind is FieldKind.TABLE else int(rng.integers(2, 9))
        blanks = boxes if rng.random() < 0.1 else int(rng.integers(0, boxes)) if rng.random() < 0.3 else 0
        values.append(BLANK * blanks + "".join(map(str, rng.integers(0, 10, boxes - blanks))))
    return values
