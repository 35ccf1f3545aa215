"""Which segmentation cut a glyph: part of a reader's identity, so that pages read by another one can be told."""

SEGMENTATION_VERSION = "1"
"""Raised whenever the same page may give other boxes, cells or blanks. (Another glyph is another GLYPH_RECIPE.)"""
