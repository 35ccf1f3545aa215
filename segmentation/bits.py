"""Masks with 64 pixels to a word: lines are followed through a whole page by moving its rows about.

A run of print is told by AND-ing a mask with itself, moved by 1, 2, 4 and so on; what is left are the pixels
where runs of a length start. Nothing lies beyond the page's edges.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

WORD = 64
SPARE = 24  # bits behind a row at least, or what is moved over its end would come in at the next one's start

Places = npt.NDArray[np.intp]

Bits = npt.NDArray[np.uint64]
"""(height, words): pixel x of a row is bit x % 64 of word x // 64; the SPARE bits or more behind are 0."""


def packed(mask: npt.NDArray[np.uint8]) -> Bits:
    height, width = mask.shape
    words = np.zeros((height, -(-(width + SPARE) // WORD)), "<u8")
    words.view(np.uint8)[:, : -(-width // 8)] = np.packbits(mask, axis=1, bitorder="little")
    return words


def unpacked(bits: Bits, width: int) -> npt.NDArray[np.uint8]:
    """Return (height, width) uint8: 255 and 0."""
    ones = np.unpackbits(bits.view(np.uint8), axis=1, count=width, bitorder="little")
    return np.asarray(np.negative(ones, out=ones))


def moved(bits: Bits, by: int) -> Bits:
    """Return bits moved by up to SPARE pixels to the right, for a negative number to the left.

    To the left, the SPARE bits of a row take over what goes beyond the start of the next.
    """
    row = bits.ravel()
    if by > 0:
        out = row << np.uint64(by)
        out[1:] |= row[:-1] >> np.uint64(WORD - by)
    elif by < 0:
        out = row >> np.uint64(-by)
        out[:-1] |= row[1:] << np.uint64(WORD + by)
    else:
        out = row
    return out.reshape(bits.shape)


def starts(bits: Bits, length: int, *, upright: bool) -> Bits:
    """Return where runs of a length start, downward or to the right; rows where none fits are left out."""
    done = 1
    while done < length:
        step = min(done, length - done)
        bits = bits[:-step] & bits[step:] if upright else bits & moved(bits, -step)
        done += step
    return bits


def grown(bits: Bits, length: int, *, upright: bool) -> Bits:
    """Return runs of a length from where these bits are: the reverse of `starts`; downward, rows are added.

    To the right the page has to have room for them.
    """
    done = 1
    while done < length:
        step = min(done, length - done)
        if upright:
            longer = np.zeros((len(bits) + step, bits.shape[1]), bits.dtype)
            longer[: len(bits)] = bits
            longer[step:] |= bits
            bits = longer
        else:
            bits = bits | moved(bits, step)
        done += step
    return bits


def edged(bits: Bits, width: int, before: int, after: int, *, upright: bool) -> Bits:
    """Return bits of a page of some width with so many rows of set ones above and below it.

    Or else with so many pixels left and right of it, which take a word of a row each. The SPARE bits are not
    0 then: cut off what was added, and what is not `within` the page.
    """
    if upright:
        rows = np.full((before + after, bits.shape[1]), ~bits.dtype.type(0))
        return np.concatenate([rows[:before], bits, rows[before:]])
    ends = (2**before - 1 << WORD - before) | (2**after - 1 << WORD + width)
    row = np.frombuffer(ends.to_bytes(8 * (bits.shape[1] + 2), "little"), bits.dtype)
    wide = np.repeat(row[None], len(bits), axis=0)
    wide[:, 1:-1] |= bits
    return wide


def opened(bits: Bits, length: int, *, upright: bool) -> Bits:
    """Return the runs that are as long, or longer."""
    if upright and len(bits) < length:
        return np.zeros_like(bits)
    return grown(starts(bits, length, upright=upright), length, upright=upright)


def closed(bits: Bits, space: int, *, upright: bool) -> Bits:
    """Return bits with the spaces between them filled that are no longer."""
    length = space + 1
    return bits | starts(grown(bits, length, upright=upright), length, upright=upright)


def spread(bits: Bits, by: int, width: int, *, upright: bool) -> Bits:
    """Return bits of a page of some width made longer on both sides, by rows or pixels of a row."""
    if upright:
        return grown(bits, 2 * by + 1, upright=True)[by : by + len(bits)]
    for way in (1, -1):
        done = 0
        while done < by:
            step = min(done + 1, by - done)
            bits = bits | moved(bits, way * step)
            done += step
    return within(bits, width)


def outlines(bits: Bits) -> Bits:
    """Return the bits that are not surrounded by others above, below, left and right of them."""
    inner = moved(bits, 1) & moved(bits, -1)
    inner[1:-1] &= bits[2:] & bits[:-2]
    inner[:1], inner[-1:] = 0, 0
    return bits & ~inner


def within(bits: Bits, width: int) -> Bits:
    """Return bits without what is behind so many pixels of a row."""
    row = np.frombuffer((2**width - 1).to_bytes(8 * bits.shape[1], "little"), bits.dtype)
    return bits & row


def stretches(bits: Bits) -> tuple[Places, Places, int]:
    """Return where each stretch of bits in a row begins and ends, and how many places a row has.

    Places are counted row by row.
    """
    words = bits.ravel()
    near = np.flatnonzero(words != 0)
    here, last = words[near], np.uint64(WORD - 1)
    before = here << np.uint64(1) | words[near - 1] >> last
    behind = here >> np.uint64(1) | words.take(near + 1, mode="wrap") << last
    return _places(near, here & ~before), _places(near, here & ~behind), WORD * bits.shape[1]


def _places(word: Places, bits: Bits) -> Places:
    """Return where bits are, given their words and which these are."""
    found = []
    while len(word):
        some = bits != 0
        word, bits = word[some], bits[some]
        lowest = bits & (~bits + np.uint64(1))
        found.append(WORD * word + np.frexp(lowest.astype(np.float64))[1] - 1)  # which power of two it is
        bits = bits ^ lowest
    return np.sort(np.concatenate([word, *found]))
