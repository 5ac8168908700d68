"""ImageNet's weights as keras.applications has them, and the input that they were trained with."""

import warnings
from pathlib import Path

import keras
from keras import ops

from sflowgan_tf.utils.errors import UserError

MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet, as keras.applications subtracts it


def pretrained(network, weights_from, *, file, setting):
    """A network of keras.applications without its top, filled.

    Args:
        network: its name there, such as "VGG19".
        weights_from: "imagenet" (keras.applications downloads them), or the path of a weights file
            of that network with `include_top=False` (.h5 or .weights.h5).
        file: what keras.applications calls the file, for the message.
        setting: the configuration's key of `weights_from`, for the message.

    Raises:
        UserError: the weights cannot be had, or do not fit.
    """
    make = getattr(keras.applications, network)
    if weights_from == "imagenet":
        try:
            return make(include_top=False)
        except Exception as error:  # get_file raises nothing narrower
            raise UserError(
                f"{network}'s ImageNet weights could not be fetched ({error}); set "
                f"{setting} to the path of {file}"
            ) from error
    if not Path(weights_from).is_file():
        raise UserError(
            f'{network} weights: no file {weights_from}; expected "imagenet" or the path '
            f"of a weights file of keras.applications.{network}(include_top=False)"
        )
    try:
        with warnings.catch_warnings():
            # Keras only warns where a file lacks layers, and leaves them random.
            warnings.simplefilter("error", UserWarning)
            return make(include_top=False, weights=weights_from)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise UserError(
            f"{network} weights: {weights_from} does not fit "
            f"keras.applications.{network}(include_top=False) ({str(error).splitlines()[0]})"
        ) from error


def as_trained(images, mean_bgr=MEAN_BGR):
    """What networks whose training began in Caffe expect: BGR, 0 to 255, minus the mean.

    Among them are VGG and ResNet of keras.applications.

    Args:
        images: (batch, height, width, 3) floating RGB in [-1, 1].
        mean_bgr: of the pictures that the network was trained with.

    Returns:
        The same shape and dtype.
    """
    bgr = ops.flip((ops.cast(images, "float32") + 1) * 127.5, axis=-1)
    return ops.cast(bgr - ops.convert_to_tensor(mean_bgr, dtype="float32"), images.dtype)
