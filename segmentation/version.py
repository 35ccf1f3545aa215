"""Which segmentation made a reading: part of a reader's identity."""

SEGMENTATION_VERSION = "6"
"""Raised whenever a page may give other boxes, cells or blanks; another glyph is another GLYPH_RECIPE."""
