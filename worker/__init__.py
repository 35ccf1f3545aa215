"""Digitmill's command line, queue, database and pipeline."""

import os

# From 1.29 on, onnxruntime reports to its maker unless told otherwise before it loads. Nothing may leave.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# There is a process for every core. NumPy's library for matrices starts a thread for every core in each,
# which waits by computing nothing: as much processor time again, taken from the other processes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
