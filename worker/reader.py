"""Who reads: everything that decides what a page's reading says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from worker.pipeline import ReadingRules


@dataclass(frozen=True, slots=True)
class Reader:
    """The identity of a reader. Two pages read by readers of the same key can be compared."""

    model_sha256: str  # "sha256:<64 hex>"
    glyph_recipe: str
    segmentation_version: str
    rules: ReadingRules
    template: str = "none"  # name@version

    @property
    def key(self) -> str:
        """64 hex digits, the same for the same reader in every process and Python version."""
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
