"""Models without networks."""

from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.settings import Farneback
from sflowgan_tf.translation.model import Model


def model_of(engine, **changed):
    """A model of Cityscapes' classes, 32x16."""
    fields = {
        "classes": TABLES["cityscapes"],
        "size": (32, 16),
        "flow": Farneback(),
        "edge_map": "laplacian",
        "origin": {"run": "r", "step": "3"},
    }
    return Model(engine=engine, **(fields | changed))
