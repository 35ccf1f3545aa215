"""Which segmentation cut a glyph: part of a reader's identity, so that readings of different ones are told
apart.
"""

SEGMENTATION_VERSION = "1"
"""Raised whenever the same page may give other boxes, cells or blanks; another glyph is another
GLYPH_RECIPE.
"""
