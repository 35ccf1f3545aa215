"""Forms drawn with known truth and scanner-like damage, for training, tests, examples and benchmarks."""

from training.forms.damage import Damage
from training.forms.draw import (
    Capture,
    DrawnForm,
    FormSpec,
    TrueField,
    draw_form,
    draw_sheet,
    draw_spec,
)
from training.forms.ink import DigitSource, PastedDigits
from training.forms.layout import LayoutSpec
from training.forms.pen import Hand, PenDigits, random_hand
from training.forms.press import Press
from training.forms.random_forms import random_spec
from training.forms.sheet import BLANK, FieldKind, Rect, Ruling, Sheet

__all__ = [
    "BLANK",
    "Capture",
    "Damage",
    "DigitSource",
    "DrawnForm",
    "FieldKind",
    "FormSpec",
    "Hand",
    "LayoutSpec",
    "PastedDigits",
    "PenDigits",
    "Press",
    "Rect",
    "Ruling",
    "Sheet",
    "TrueField",
    "draw_form",
    "draw_sheet",
    "draw_spec",
    "random_hand",
    "random_spec",
]
