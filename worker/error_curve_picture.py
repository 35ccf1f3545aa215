"""The error-reject curve as a picture: the share of wrong ones among the accepted, by the share refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from worker.reliability import Outcome

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 40, 60  # margins
COLOURS = ("#0072B2", "#D55E00")  # of those that colour-blind people can tell apart (Okabe and Ito 2008)
DASHES = ("", "7 4")  # and for print in black and white
MOST_REFUSED = 0.5
TICKS = 5

Point = tuple[float, float]
"""The share that is refused, and the share of wrong ones among the others."""


def error_reject_points(outcomes: Sequence[Outcome]) -> list[Point]:
    """Return the curve from accepting all that may be accepted on, a point where the share changes."""
    ordered = sorted(outcomes)
    points: list[Point] = []
    wrong = sum(not right for _, right in ordered)
    for place, (confidence, right) in enumerate(ordered):
        if confidence >= 0 and (place == 0 or confidence > ordered[place - 1][0]):
            points.append((place / len(ordered), wrong / (len(ordered) - place)))
        wrong -= not right
    return points


def draw_error_curves(curves: Mapping[str, Sequence[Outcome]]) -> str:
    """Return an SVG with the curve of each name, such as digits and fields."""
    points = {name: error_reject_points(outcomes) for name, outcomes in curves.items()}
    most_wrong = max((wrong for curve in points.values() for _, wrong in curve), default=0.0) or 0.01
    parts = [*_axes(most_wrong)]
    for number, (name, curve) in enumerate(points.items()):
        line = f'stroke="{COLOURS[number]}" stroke-width="2" stroke-dasharray="{DASHES[number]}" fill="none"'
        path = " ".join(
            "{:.1f},{:.1f}".format(*_place(refused, wrong, most_wrong))
            for refused, wrong in curve
            if refused <= MOST_REFUSED
        )
        y = TOP + 18 * number
        parts += [
            f'<polyline points="{path}" {line}/>',
            f'<line x1="{WIDTH - 170}" y1="{y}" x2="{WIDTH - 140}" y2="{y}" {line}/>',
            _text(WIDTH - 132, y + 4, f"{name} ({len(curves[name]):,})", "start"),
        ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="13"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(parts)}</svg>\n'
    )


def _axes(most_wrong: float) -> list[str]:
    parts = [
        _text(LEFT, 24, "Wrong among the accepted", "start"),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, "Left to a person", "middle"),
    ]
    for tick in range(TICKS + 1):
        refused, wrong = MOST_REFUSED * tick / TICKS, most_wrong * tick / TICKS
        x, y = _place(refused, wrong, most_wrong)
        parts += [
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>',
            _text(LEFT - 8, y + 4, f"{wrong:.2%}", "end"),
            _text(x, HEIGHT - BOTTOM + 20, f"{refused:.0%}", "middle"),
        ]
    return parts


def _place(refused: float, wrong: float, most_wrong: float) -> Point:
    x = LEFT + refused / MOST_REFUSED * (WIDTH - LEFT - RIGHT)
    return x, HEIGHT - BOTTOM - wrong / most_wrong * (HEIGHT - TOP - BOTTOM)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
