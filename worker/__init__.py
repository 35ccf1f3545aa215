"""Digitmill's command line, queue, database and pipeline."""

import os

# From 1.29 on, onnxruntime reports to its maker unless told otherwise before it loads. Nothing may leave.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
