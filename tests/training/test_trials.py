from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from segmentation.glyph import Glyph, normalise
from tests.training.made_digits import made_digits
from tests.worker.small_models import small_model
from training import trials
from training.errors import DatasetUnreadable
from training.forms import PenDigits, draw_form, random_hand
from training.forms.ink import Ink
from training.forms.marks import MARKS, draw_mark
from training.model_card import CLASSES, STRUCK
from training.score import classify, open_session
from training.trials import Trial, drawn_pages, load_trials, marks, other_hands, real_pages, try_on

DIGITS = made_digits(200)
read = partial(classify, open_session(small_model()))
GLYPHS = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
READ = np.argmax(read(GLYPHS), axis=1).astype(np.uint8)


def test_digits_of_drawn_pages_are_found_cut_and_named_by_who_wrote_them() -> None:
    trial = drawn_pages("pages", DIGITS, [2000, 2001])

    assert set(trial.groups) == {"own pen strokes", "validation digits"}
    assert len(trial.groups) == len(trial.labels) == len(trial.glyphs) > 30
    assert trial.uncleaned is not None
    assert trial.uncleaned.shape == trial.glyphs.shape
    assert trial.labels.max() < 10
    pasted = np.array(trial.groups) == "validation digits"
    assert np.mean([_nearest(glyph) == label for glyph, label in
                    zip(trial.glyphs[pasted], trial.labels[pasted], strict=True)]) > 0.9  # fmt: skip


def _nearest(glyph: Glyph) -> int:
    distances = np.square(DIGITS.glyphs.astype(float) - glyph).sum(axis=(1, 2))
    return int(DIGITS.labels[distances.argmin()])


def test_marks_are_labelled_and_grouped_by_kind() -> None:
    trial = marks("marks", DIGITS, 16)

    assert set(trial.groups) == set(MARKS)
    struck = trial.labels == CLASSES.index(STRUCK)
    assert {kind for kind, is_struck in zip(trial.groups, struck, strict=True) if is_struck} == {
        "cross", "slash", "dash", "scribble", "crossed-out digit"
    }  # fmt: skip


def test_other_hands_come_as_glyphs_of_the_recipe(tmp_path: Path) -> None:
    images = np.zeros((3, 32, 32), np.uint8)
    images[:, 4:30, 10:14] = 255
    np.savez(tmp_path / "hands.npz", images=images, labels=np.array([1, 1, 7]))

    trial = other_hands("hands", tmp_path / "hands.npz")

    np.testing.assert_array_equal(trial.glyphs[0], normalise(images[0]))
    assert trial.labels.tolist() == [1, 1, 7]


def test_other_hands_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "hands.npz").write_bytes(b"no archive")

    with pytest.raises(DatasetUnreadable, match=r"hands\.npz"):
        other_hands("hands", tmp_path / "hands.npz")


def _a_cross_for_each_7(digit: int, height_px: float, rng: np.random.Generator) -> Ink:
    pen = PenDigits(random_hand(rng))
    return draw_mark("cross", height_px, rng, pen) if digit == 7 else pen(digit, height_px, rng)


@pytest.fixture
def made_forms(tmp_path: Path) -> Path:
    """A folder like those of real forms: a scan with a box for its field, and a photo that is left alone."""
    form = draw_form("3175_", digits=_a_cross_for_each_7)
    cv2.imwrite(str(tmp_path / "scan.png"), form.page.grey)
    box = form.fields[0].box
    fields = [{"name": "sum", "value": "31X5_", "box": [box.x, box.y, box.width, box.height]}]
    letters = [{**fields[0], "letters": True}]
    records = [
        {"file": "scan.png", "capture": "scan", "fields": fields},
        {"file": "scan.png", "capture": "scan", "fields": letters},
        {"file": "missing.png", "capture": "photo", "fields": fields},
    ]
    (tmp_path / "truth.jsonl").write_text("\n".join(map(json.dumps, records)))
    return tmp_path


def test_real_scans_give_their_digits_and_apart_from_them_their_crosses(made_forms: Path) -> None:
    digits, crosses = real_pages([made_forms])

    assert digits.labels.tolist() == [3, 1, 5]
    assert crosses.labels.tolist() == [CLASSES.index(STRUCK)]
    assert set(digits.groups + crosses.groups) == {f"{made_forms.name}/scan.png"}
    assert digits.overlooked == crosses.overlooked == 0


def test_a_scan_that_is_no_image_is_named(made_forms: Path) -> None:
    (made_forms / "scan.png").write_bytes(b"")

    with pytest.raises(DatasetUnreadable, match=r"scan\.png"):
        real_pages([made_forms])


def test_drawn_trials_are_kept_and_need_no_shared_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "PAGE_SEEDS", [2000])
    monkeypatch.setattr(trials, "MARKS_OF_A_KIND", 8)
    first = load_trials(None, DIGITS, tmp_path)
    again = load_trials(None, DIGITS, tmp_path)

    assert [trial.name for trial in first] == ["drawn pages", "digits in cells", "marks"]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.glyphs, other.glyphs)
        assert one.groups == other.groups


def test_the_real_scans_hold_crosses_and_many_digits(shared_data: Path) -> None:
    digits, crosses = real_pages([shared_data / "forms" / "kawalc1-c1"])

    assert len(digits) + digits.overlooked > 150
    assert len(crosses) + crosses.overlooked >= 15


def test_a_trial_is_counted_by_the_groups_of_its_glyphs() -> None:
    labels = READ.copy()
    labels[[0, 1, 30]] = (READ[[0, 1, 30]] + 1) % 10

    tallies = try_on(read, Trial("made", GLYPHS, labels, ("pens",) * 30 + ("others",) * 10))

    assert (tallies["pens"].glyphs, tallies["pens"].right) == (30, 28)
    assert (tallies["others"].glyphs, tallies["others"].right) == (10, 9)
    assert tallies["pens"].uncleaned_right is None
    assert (tallies["pens"] + tallies["others"]).accuracy == 37 / 40


def test_what_is_no_digit_is_never_read_rightly_by_a_model_of_digits_alone() -> None:
    (tally,) = try_on(read, Trial("made", GLYPHS, np.full(40, 10, np.uint8), ("cross",) * 40)).values()

    assert (tally.right, tally.as_digit) == (0, 40)


def test_uncleaned_boxes_are_counted_beside_the_cleaned_ones() -> None:
    trial = Trial("made", GLYPHS, READ, ("pens",) * 40, uncleaned=np.zeros_like(GLYPHS))

    (tally,) = try_on(read, trial).values()

    assert tally.right == 40
    assert tally.uncleaned_right is not None
    assert tally.uncleaned_right < 40


def test_an_interval_is_the_published_one() -> None:
    labels = READ.copy()
    labels[:4] = (READ[:4] + 1) % 10
    (tally,) = try_on(read, Trial("made", GLYPHS, labels, ("pens",) * 40)).values()

    np.testing.assert_allclose(tally.interval, (0.769, 0.960), atol=0.001)  # Wilson, 36 of 40
