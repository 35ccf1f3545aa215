from __future__ import annotations

from xml.etree import ElementTree

import pytest

from worker.error_curve_picture import draw_error_curves, error_reject_points
from worker.measures import NEVER_ACCEPTED


def test_refusing_the_least_confident_first_leaves_fewer_mistakes() -> None:
    outcomes = [(0.9, True), (0.4, False), (0.8, True), (0.8, False), (0.99, True)]

    assert error_reject_points(outcomes) == [(0.0, 0.4), (0.2, 0.25), (0.6, 0.0), (0.8, 0.0)]


def test_what_is_never_accepted_is_refused_from_the_start() -> None:
    assert error_reject_points([(NEVER_ACCEPTED, False), (0.5, True)]) == [(0.5, 0.0)]


@pytest.mark.parametrize("outcomes", [[], [(0.9, True)], [(0.9, True), (0.5, False)]])
def test_the_picture_is_an_svg_with_a_line_and_a_name_for_each_curve(
    outcomes: list[tuple[float, bool]],
) -> None:
    picture = ElementTree.fromstring(draw_error_curves({"digits": outcomes, "fields <all>": outcomes}))  # noqa: S314

    texts = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}polyline"))) == 2
    assert f"digits ({len(outcomes)})" in texts
    assert f"fields <all> ({len(outcomes)})" in texts
