import numpy as np

from training.forms.glyphs import pen_glyphs


def test_pen_glyphs_are_glyphs_of_all_digits_and_the_same_for_the_same_seed() -> None:
    glyphs, labels = pen_glyphs(200, seed=3)
    again, _ = pen_glyphs(200, seed=3)

    assert glyphs.shape == (200, 28, 28)
    assert glyphs.dtype == np.uint8
    assert np.bincount(labels).tolist() == [20] * 10
    assert np.array_equal(glyphs, again)


def test_another_seed_gives_other_hands() -> None:
    assert not np.array_equal(pen_glyphs(20, seed=1)[0], pen_glyphs(20, seed=2)[0])
