"""Forms drawn with known truth and scanner-like damage, for training, tests, examples and benchmarks."""

from training.forms.box_kinds import BoxKind
from training.forms.damage import Damage
from training.forms.distractors import Distractor
from training.forms.draw import (
    Capture,
    DrawnForm,
    FormSpec,
    TrueField,
    draw_form,
    draw_sheet,
    draw_spec,
)
from training.forms.hard_forms import (
    DrawnPage,
    PlacedDistractor,
    PlacedField,
    kind_and_damage,
    random_hard_form,
)
from training.forms.ink import DigitSource, PastedDigits
from training.forms.layout import LayoutSpec
from training.forms.page_damage import PageDamage
from training.forms.pen import Hand, PenDigits, random_hand
from training.forms.press import Press
from training.forms.random_forms import random_spec
from training.forms.sheet import BLANK, FieldKind, Rect, Ruling, Sheet

__all__ = [
    "BLANK",
    "BoxKind",
    "Capture",
    "Damage",
    "DigitSource",
    "Distractor",
    "DrawnForm",
    "DrawnPage",
    "FieldKind",
    "FormSpec",
    "Hand",
    "LayoutSpec",
    "PageDamage",
    "PastedDigits",
    "PenDigits",
    "PlacedDistractor",
    "PlacedField",
    "Press",
    "Rect",
    "Ruling",
    "Sheet",
    "TrueField",
    "draw_form",
    "draw_sheet",
    "draw_spec",
    "kind_and_damage",
    "random_hand",
    "random_hard_form",
    "random_spec",
]
