import cv2
import numpy as np
import numpy.typing as npt
import pytest

from training.forms import (
    Capture,
    Damage,
    DrawnForm,
    FieldKind,
    FormSpec,
    LayoutSpec,
    PastedDigits,
    Ruling,
    draw_form,
    draw_spec,
    random_spec,
)
from training.forms.damage import inflict

HEAVY = Ruling(width_mm=0.6)


def test_the_same_seed_gives_the_same_pixels_and_another_one_others() -> None:
    first, again, other = (draw_form("4071 93", seed=seed) for seed in (5, 5, 6))

    assert np.array_equal(first.image, again.image)
    assert first.fields == again.fields
    assert not np.array_equal(first.image, other.image)


@pytest.mark.parametrize("kind", FieldKind)
def test_every_kind_of_field_holds_the_values_asked_for(kind: FieldKind) -> None:
    form = draw_form("4071 _93_", kind=kind)

    assert [field.value for field in form.fields] == ["4071", "_93_"]
    assert [len(field.cells) for field in form.fields] == [4, 4]


@pytest.mark.parametrize("kind", FieldKind)
@pytest.mark.parametrize("degrees", [-5.0, 0.0, 2.5])
def test_the_true_boxes_lie_on_the_printed_lines_however_the_page_is_turned(
    kind: FieldKind, degrees: float
) -> None:
    form = draw_form("____", kind=kind, ruling=HEAVY, skew_degrees=degrees, dpi=150)

    for cell in form.fields[0].cells:
        corners = np.array([(corner.x, corner.y) for corner in cell.corners])
        inward = (corners.mean(axis=0) - corners) * 0.03
        assert ink_at(form, corners + inward) > 0.9  # just inside the outer edge: on the line
        assert ink_at(form, corners - 2.5 * inward) < 0.5 or kind is not FieldKind.SEPARATE


def ink_at(form: DrawnForm, points: npt.NDArray[np.float64]) -> float:
    """Return the share of the points whose pixel is dark."""
    columns, rows = np.rint(points - 0.5).astype(int).T
    return float(np.mean(form.page.grey[rows, columns] < 160))


def test_a_blank_box_is_left_white_and_a_filled_one_is_not() -> None:
    form = draw_form("7_", dpi=200)

    filled, blank = (_inside(form, index) for index in (0, 1))

    assert filled.min() < 100
    assert blank.min() == 255


def _inside(form: DrawnForm, index: int) -> npt.NDArray[np.uint8]:
    quad = form.fields[0].cells[index]
    left, top, right, bottom = quad.top_left.x, quad.top_left.y, quad.bottom_right.x, quad.bottom_right.y
    margin = 8
    return form.page.grey[
        round(top) + margin : round(bottom) - margin, round(left) + margin : round(right) - margin
    ]


def test_a_coloured_form_is_grey_to_the_reader() -> None:
    form = draw_form("12", ruling=Ruling(colour=(70, 150, 240)), colour=True)

    assert form.image.ndim == 3
    assert form.page.grey.shape == form.image.shape[:2]
    assert np.ptp(form.image.astype(int), axis=2).max() > 100


@pytest.mark.parametrize("damage", Damage)
def test_each_damage_changes_the_page_and_keeps_its_size(damage: Damage) -> None:
    clean, damaged = draw_form("4071"), draw_form("4071", damages=[damage])

    assert damaged.image.shape == clean.image.shape
    assert damaged.fields == clean.fields
    assert not np.array_equal(damaged.image, clean.image)


def test_a_1_bit_page_is_black_and_white_only() -> None:
    assert set(np.unique(draw_form("4071", damages=[Damage.ONE_BIT]).image)) == {0, 255}


@pytest.mark.parametrize("damage", Damage)
def test_damage_falls_on_colour_as_it_does_on_grey(damage: Damage) -> None:
    grey = draw_form("4071").image
    colour = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)

    damaged = inflict(colour, damage, 200, np.random.default_rng(1))

    assert damaged.shape == colour.shape


def test_pasted_digits_are_those_of_the_data_set_scaled_to_the_box() -> None:
    ring = np.zeros((28, 28), np.uint8)
    ring[4:24, 8:20] = 200
    source = PastedDigits(np.stack([ring, 255 - ring]), np.array([3, 5]))

    ink = source(3, 60, np.random.default_rng(0))

    assert ink.shape == (60, 36)
    assert ink[5:-5, 5:-5].min() > 190


def test_random_pages_cover_all_kinds_damages_and_colours() -> None:
    specs = [random_spec(seed) for seed in range(100)]

    assert {spec.layout.kind for spec in specs} == set(FieldKind)
    assert {damage for spec in specs for damage in spec.capture.damages} == set(Damage)
    assert {spec.capture.dpi for spec in specs} == {150, 200, 300}
    assert max(abs(spec.capture.skew_degrees) for spec in specs) > 4
    assert any(set(value) == {"_"} for spec in specs for value in spec.layout.values)


@pytest.mark.parametrize("dpi", [100, 600])
def test_a_page_can_be_drawn_from_100_to_600_dpi(dpi: int) -> None:
    form = draw_spec(FormSpec(LayoutSpec(("42",), signatures=1), Capture(dpi)))

    assert form.page.grey.shape == (round(297 * dpi / 25.4), round(210 * dpi / 25.4))
    assert form.page.dpi == dpi
