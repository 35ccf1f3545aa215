"""A bench as tables of text, as JSON and as an HTML page that needs no other file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from markupsafe import Markup

from training.model_card import ErrorCurve
from worker.bench import Bench
from worker.error_curve_picture import draw_error_curves
from worker.gates import Gate
from worker.measures import FieldScore, PageScore, Tally, by_field, tally, wilson
from worker.reliability import (
    LEAST_IN_BIN,
    Bin,
    Outcome,
    expected_calibration_error,
    log_loss,
    reliability,
)
from worker.report import page_template

SHOWN_THRESHOLDS = (0.0, 0.9, 0.99, 0.999, 0.9999)  # of the curve, in the table; all are in the JSON

Row = tuple[str, ...]


def measure_rows(found: Bench) -> list[Row]:
    """Return each measure: its name, what it came to, and its 95 % interval where it is a share."""
    counts, speed, accepted = found.tally, found.speed, found.accepted
    bins = reliability(found.digits)
    return [
        ("pages", str(counts.pages), ""),
        ("fields found", *_share(counts.found, counts.fields)),
        ("fields exact", *_share(counts.exact, counts.fields)),
        ("digits wrong", *_share(min(counts.digit_errors, counts.digits), counts.digits)),
        ("fields where none is", f"{counts.spurious}, {_per(counts.spurious, counts.pages)} a page", ""),
        ("blank boxes read as a digit", *_share(counts.blanks_read, counts.blank_cells)),
        ("digits read as blank", *_share(counts.digits_overlooked, counts.digit_cells)),
        ("accepted fields wrong", *_share(accepted.count(False), len(accepted))),
        ("calibration error of digits", f"{expected_calibration_error(bins):.2%}" if bins else "none", ""),
        ("largest gap in a bin", _largest_gap(bins), ""),
        ("log-loss of digits", f"{log_loss(found.digits):.4f}" if bins else "none", ""),
        ("pages a second", f"{speed.pages_per_second:.2f}, {speed.processes} processes", ""),
        ("pages a second and core", f"{speed.pages_per_second_and_core:.2f}", ""),
        ("peak memory of a process", f"{speed.peak_bytes / 2**20:.0f} MiB", ""),
    ]


def cause_rows(found: Bench) -> list[Row]:
    """Return each cause of a field that was not read exactly, and how many it cost."""
    return [(cause, str(fields)) for cause, fields in found.causes.items()]


FIELD_HEADINGS = ("field", "fields", "found", "exact", "95 %", "digits wrong", "cause")


def field_rows(found: Bench) -> list[Row]:
    """Return how each field of the form was read, by FIELD_HEADINGS; the worst read come first."""
    rows = []
    for name, scores in by_field(found.scores).items():
        counts = _tally_of(scores)
        misses = [str(score.miss) for score in scores if score.miss]
        commonest = max(misses, key=misses.count) if misses else ""
        exact, interval = _share(counts.exact, counts.fields)
        wrong = f"{counts.digit_errors} of {counts.digits}"
        row = name, str(counts.fields), str(counts.found), exact, interval, wrong, commonest
        rows.append((counts.field_exact, row))
    return [row for _, row in sorted(rows, key=lambda ranked: ranked[0])]


CURVE_HEADINGS = ("accepted from", "fields left", "wrong", "95 %", "digits left", "wrong", "95 %")


def curve_rows(found: Bench) -> list[Row]:
    """Return the error-reject curve: whoever accepts from this confidence on leaves so many to a person."""
    curves = [(len(outcomes), ErrorCurve.count(outcomes)) for outcomes in (found.fields, found.digits)]
    rows = []
    for place, threshold in enumerate(curves[0][1].thresholds):
        if threshold in SHOWN_THRESHOLDS:
            row = [f"{threshold:g}"]
            for total, curve in curves:
                accepted, wrong = curve.accepted[place], curve.wrong[place]
                row += [f"{(total - accepted) / total:.1%}" if total else "", *_share(wrong, accepted)]
            rows.append(tuple(row))
    return rows


def draw_curves(found: Bench) -> str:
    """Return the error-reject curves as SVG."""
    return draw_error_curves({"digits": found.digits, "fields": found.fields})


def summary(found: Bench, gates: Sequence[Gate]) -> dict[str, Any]:
    """Return everything as JSON has it, counts and shares."""
    speed, bins = found.speed, reliability(found.digits)
    return {
        "pages": found.tally.pages,
        "pages_failed": len(found.failures),
        "truth_without_scan": list(found.without_scan),
        **_counts(found.tally),
        "accepted": len(found.accepted),
        "accepted_wrong": found.accepted.count(False),
        "measures": {name: _number(value) for name, value in found.gated.items()},
        "gates": [{**asdict(gate), "holds": gate.holds(found.gated)} for gate in gates],
        "causes": found.causes,
        "by_field": {
            name: {
                **_counts(_tally_of(scores)),
                "causes": [score.miss for score in scores if score.miss],
            }
            for name, scores in by_field(found.scores).items()
        },
        "error_reject": {"fields": _curve(found.fields), "digits": _curve(found.digits)},
        "calibration": {
            "digits": len(found.digits),
            "expected_error": _number(expected_calibration_error(bins)),
            "log_loss": _number(log_loss(found.digits)),
            "bins": [asdict(each) for each in bins],
        },
        "seconds": round(speed.seconds, 3),
        "processes": speed.processes,
        "pages_per_second": round(speed.pages_per_second, 3),
        "pages_per_second_and_core": round(speed.pages_per_second_and_core, 3),
        "peak_bytes": speed.peak_bytes,
    }


def render_bench(found: Bench, gates: Sequence[Gate], *, made_at: datetime) -> str:
    """Return the HTML page, with the crops of `found.wrong`; whatever came from files is escaped."""
    counts = found.tally
    return page_template("bench.html").render(
        bench=found,
        counts=counts,
        gates=[(str(gate), gate.holds(found.gated)) for gate in gates],
        measures=measure_rows(found),
        causes=[row for row in cause_rows(found) if row[1] != "0"],
        field_headings=FIELD_HEADINGS,
        fields=field_rows(found),
        curve_headings=CURVE_HEADINGS,
        curve=curve_rows(found),
        picture=Markup(draw_curves(found)),  # noqa: S704 (made here; it escapes its texts)
        bins=reliability(found.digits),
        all_wrong=counts.fields - counts.exact + counts.spurious,
        made_at=made_at,
    )


def _tally_of(scores: Sequence[FieldScore]) -> Tally:
    return tally([PageScore(tuple(scores), ())])


def _counts(counts: Tally) -> dict[str, Any]:
    return {
        "fields": counts.fields,
        "fields_found": counts.found,
        "fields_exact": counts.exact,
        "digits": counts.digits,
        "digit_errors": counts.digit_errors,
        "digit_error": _number(counts.digit_error),
        "spurious_fields": counts.spurious,
        "blank_cells": counts.blank_cells,
        "blanks_read_as_digits": counts.blanks_read,
        "digit_cells": counts.digit_cells,
        "digits_read_as_blank": counts.digits_overlooked,
    }


def _curve(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {"of": len(outcomes), **asdict(ErrorCurve.count(outcomes))}


def _number(value: float) -> float | None:
    """JSON has no nan."""
    return None if math.isnan(value) else round(value, 6)


def _largest_gap(bins: Sequence[Bin]) -> str:
    gaps = [each.gap for each in bins if each.count >= LEAST_IN_BIN]
    return f"{max(gaps):.2%}" if gaps else f"no bin of {LEAST_IN_BIN}"


def _per(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "0"


def _share(part: int, whole: int) -> tuple[str, str]:
    if not whole:
        return "none", ""
    interval = wilson(part, whole)
    return f"{part} of {whole}, {part / whole:.2%}", f"{interval.low:.2%} to {interval.high:.2%}"
