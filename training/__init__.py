"""Makes the model file. TensorFlow lives here and nowhere else; nothing is imported before it is needed."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # see worker/__init__.py
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # off by default without VNNI, yet half as fast again
