"""S-Flow GAN: scenes of a simulator become photo-realistic images and steady videos.

A trained model in a simulator's loop, one call a tick:

    >>> import numpy as np
    >>> import sflowgan_tf
    >>> model = sflowgan_tf.load("runs/city")  # or a SavedModel, a TFLite file, a server's address
    >>> width, height = model.size
    >>> for tick in range(2):
    ...     class_ids = np.ones((height, width), np.uint8)  # the simulator's raw ids,
    ...     frame = np.full((height, width, 3), 127, np.uint8)  # and its picture, RGB
    ...     image = model.translate(model.classes.encode(class_ids), frame)
    ...     print(image.shape == frame.shape, image.dtype)
    True uint8
    True uint8

`Records` opens a folder that `prepare` wrote. `dense_flow` and `laplacian_edges` are the flow F(.)
and the edge map E(.) of the paper for NumPy frames; `Farneback` and `EdgeSettings` hold their
settings. Wrong arguments raise `UserError`, what fails without the user's fault `Failure`; both say
what to do.

Nothing heavy is imported before the first of these names is used, TensorFlow not before it is
needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sflowgan_tf.data.dataset import Records
    from sflowgan_tf.loading import load
    from sflowgan_tf.operators import dense_flow, laplacian_edges
    from sflowgan_tf.ops.settings import EdgeSettings, Farneback
    from sflowgan_tf.translation.model import Model
    from sflowgan_tf.utils.errors import Failure, UserError

__version__ = "0.1.0"

__all__ = [
    "EdgeSettings",
    "Failure",
    "Farneback",
    "Model",
    "Records",
    "UserError",
    "dense_flow",
    "laplacian_edges",
    "load",
]

_HOMES = {
    "EdgeSettings": "ops.settings",
    "Failure": "utils.errors",
    "Farneback": "ops.settings",
    "Model": "translation.model",
    "Records": "data.dataset",
    "UserError": "utils.errors",
    "dense_flow": "operators",
    "laplacian_edges": "operators",
    "load": "loading",
}


def __getattr__(name: str) -> Any:
    """Imports what `__all__` offers when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    if name == "Records":  # its module imports TensorFlow
        import_module(f"{__name__}.utils.quiet").import_tensorflow()
    globals()[name] = value = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    """All names, those too that were not asked for yet."""
    return sorted({*globals(), *__all__})
