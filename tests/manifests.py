"""Manifests of records that need not be there."""

from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.ops.settings import EdgeSettings, Farneback


def manifest_of(**fields):
    """A manifest of minicity's kind, without records but for what `fields` say."""
    defaults = {
        "dataset": "minicity",
        "size": (32, 16),
        "classes": TABLES["synthia"],
        "edges": EdgeSettings(),
        "flow": Farneback(),
        "seed": 0,
        "has_cg": True,
        "has_instances": False,
        "has_motion": False,
        "splits": {},
        "skipped": [],
    }
    return Manifest(**(defaults | fields))
