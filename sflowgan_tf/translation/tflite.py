"""A TFLite file of `export --tflite` as a model. TensorFlow is not needed."""

from pathlib import Path

from sflowgan_tf.device.tflite_model import TFLiteModel
from sflowgan_tf.translation.model import Model
from sflowgan_tf.utils.quiet import held_back


def model(file: Path) -> Model:
    """The model in a file.

    Args:
        file: of `export --tflite`; it paints scenes of one size.

    Raises:
        UserError: it is missing, damaged, or none of `export --tflite`.
    """
    with held_back():  # LiteRT names the delegate that it uses
        painter = TFLiteModel(file)
    appearance = painter.metadata.appearance
    return Model(
        engine=painter,
        classes=painter.metadata.classes,
        size=painter.size,
        flow=painter.metadata.flow,
        edge_map=painter.edges,
        palette=appearance and appearance.palette,
        origin=painter.metadata.origin | {"model": str(file)},
        files=[file],
    )
