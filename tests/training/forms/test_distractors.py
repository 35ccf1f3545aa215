from __future__ import annotations

import numpy as np
import pytest

from segmentation.geometry import Box, enclosing_box
from training.forms.box_kinds import BoxKind, random_style
from training.forms.distractors import HEIGHTS, Distractor, print_block, print_margins
from training.forms.hard_forms import random_hard_form
from training.forms.hard_layout import lay_out_hard
from training.forms.layout import A4_HEIGHT, A4_WIDTH
from training.forms.page_damage import PageDamage
from training.forms.press import Press


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


@pytest.mark.parametrize("kind", Distractor)
def test_a_distractor_keeps_within_the_height_that_is_kept_free_for_it(kind: Distractor) -> None:
    for seed in range(40):
        press = Press(A4_WIDTH, A4_HEIGHT)
        block = print_block(press, kind, 100.0, np.random.default_rng(seed))
        sheet = press.sheet()

        assert block.rect.height <= HEIGHTS[kind]
        assert sheet.prints or sheet.lines
        assert max(line.y2 for line in sheet.lines) <= block.rect.bottom if sheet.lines else True
        assert bool(block.combs) == (kind is Distractor.NAME_COMB)


def test_every_page_has_distractors_and_all_of_them_come_up() -> None:
    pages = [
        lay_out_hard(random_style(kind, rng), rng)
        for seed, kind in enumerate([*BoxKind] * 3)
        for rng in [np.random.default_rng(seed)]
    ]

    assert all(page.blocks for page in pages)
    assert {block.kind for page in pages for block in page.blocks} == set(Distractor)


def test_distractors_keep_clear_of_fields_and_stay_on_the_sheet() -> None:
    for seed in range(5):
        page = random_hard_form(seed, damage=PageDamage.JPEG)
        height, width = page.page.grey.shape

        for distractor in page.distractors:
            block = enclosing_box([distractor.quad])
            inner = Box(block.x, block.y + block.height // 4, block.width, block.height // 2)
            assert not any(overlap(inner, field.box) for field in page.fields)
            assert block.bottom <= height
            assert block.right <= width


def test_name_combs_hold_letters_and_are_no_digit_fields() -> None:
    pages = [random_hard_form(seed, damage=PageDamage.LOW_RESOLUTION) for seed in range(12)]
    combs = [(page, comb) for page in pages for comb in page.letters]

    assert len(combs) > 3
    for page, comb in combs:
        assert not set(comb.value) & set("0123456789")
        assert len(comb.cells) == len(comb.value) >= 8
        assert not any(overlap(comb.box, field.box) for field in page.fields)


def test_frames_and_corner_marks_come_up_and_are_not_on_every_page() -> None:
    marked = []
    for seed in range(30):
        press = Press(A4_WIDTH, A4_HEIGHT)
        print_margins(press, np.random.default_rng(seed))
        sheet = press.sheet()
        marked.append((bool(sheet.lines), bool(sheet.shades), bool(sheet.circles)))

    assert {(True, False, False), (False, True, False), (True, False, True), (False, False, False)} <= set(
        marked
    )
