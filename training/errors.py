"""What can go wrong while a model is made. Each message says what, where, and what would fix it."""


class TrainingError(Exception):
    """The base of all errors whose message is meant for the person at the keyboard."""


class DatasetUnreadable(TrainingError):
    """Labelled digits that are missing, damaged or not what they should be."""


class WeightsUnreadable(TrainingError):
    """A file of pretrained or checkpointed weights that does not fit the network."""


class ExportRefused(TrainingError):
    """The exported graph does not say what the Keras model says."""


class ModelUnreadable(TrainingError):
    """A model file that cannot be scored, and why."""


class RunMismatch(TrainingError):
    """A run folder holds the work of another recipe or other data."""


class GateMissed(TrainingError):
    """A new model that is not shown to be better than the old one, and what speaks against it."""
