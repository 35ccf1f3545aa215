"""What one worker process holds while it reads."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass

from segmentation.glyph import GLYPH_RECIPE
from segmentation.version import SEGMENTATION_VERSION
from worker.database.engine import Database, open_database
from worker.database.leases import holder_name
from worker.database.writes import store_model
from worker.originals import Originals
from worker.pipeline import ReadingRules
from worker.reader import Reader
from worker.recogniser import Recogniser
from worker.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Mill:
    """Make it after a fork: neither connections nor ONNX sessions survive one."""

    db: Database
    recogniser: Recogniser
    settings: Settings
    reader: Reader  # its `key` tells this reader's readings from those of another model or other rules
    model_id: int
    originals: Originals
    holder: str  # what its leases are signed with


def open_mill(settings: Settings) -> Mill:
    """Open the database and load the model. Raises ServiceUnreachable, BadSettings, ModelRefused."""
    recogniser = Recogniser.load(settings.model)
    db = open_database(settings.database_url)
    card = recogniser.card
    model_id = store_model(
        db,
        sha256=recogniser.sha256,
        architecture=card.architecture,
        glyph_recipe=card.glyph_recipe,
        card=asdict(card),
    )
    reader = Reader(
        model_sha256=recogniser.sha256,
        glyph_recipe=GLYPH_RECIPE,
        segmentation_version=SEGMENTATION_VERSION,
        rules=ReadingRules(accept_confidence=settings.accept_confidence),
    )
    originals = Originals.of(settings)
    return Mill(db, recogniser, settings, reader, model_id, originals, holder_name(os.getpid()))
