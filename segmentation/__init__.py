"""Pixels to boxes to glyphs: finds the printed boxes of a page and cuts the digits out of them.

Needs numpy and OpenCV only, and knows neither the worker nor training.
"""
