from __future__ import annotations

import numpy as np

from training import architectures
from training.forms.glyphs import pen_glyphs
from training.retrain import from_shipped
from worker.recogniser import Recogniser


def test_what_retraining_starts_from_is_the_model_that_ships() -> None:
    shipped = Recogniser.load()
    plan = from_shipped(seed=0, epochs=1)
    learnt = architectures.build(plan.recipe.architecture)
    learnt.load_weights(plan.start)
    glyphs, _ = pen_glyphs(500, seed=77)

    alike = shipped(glyphs).argmax(axis=1) == np.asarray(learnt.predict_on_batch(glyphs)).argmax(axis=1)

    assert alike.mean() > 0.99  # 8 bits move one in some thousands
