"""What one worker process holds while it reads."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace

from segmentation.glyph import GLYPH_RECIPE
from segmentation.version import SEGMENTATION_VERSION
from worker.acceptance import reading_rules
from worker.database.engine import Database, open_database
from worker.database.leases import holder_name
from worker.database.writes import store_model
from worker.originals import Originals
from worker.reader import Reader
from worker.recogniser import Recogniser
from worker.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Mill:
    """Make it after a fork: neither connections nor ONNX sessions survive one."""

    db: Database
    recogniser: Recogniser
    settings: Settings
    reader: Reader  # of batches that name no target error
    model_id: int
    originals: Originals
    holder: str  # what its leases are signed with

    def reader_for(self, target_error: float | None) -> Reader:
        """Return the reader of a batch, by whose key its readings are told from those of other rules."""
        if target_error is None:
            return self.reader
        return replace(self.reader, rules=reading_rules(self.settings, self.recogniser.card, target_error))


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
        rules=reading_rules(settings, card, None),
    )
    originals = Originals.of(settings)
    return Mill(db, recogniser, settings, reader, model_id, originals, holder_name(os.getpid()))
