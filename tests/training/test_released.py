"""Networks in half precision."""

import numpy as np

from sflowgan_tf.networks.unet import UNet
from sflowgan_tf.training import released


def test_weights_are_halved_and_states_of_randomness_are_as_they_were(tmp_path):
    """The U-Net's dropouts hold theirs: whole numbers, which half precision can not hold."""
    networks = [UNet(filters=2, downsamplings=6) for _ in range(2)]
    for network in networks:
        network.build((None, None, None, 4))
    one, other = networks
    released.write(tmp_path / "weights.npz", 7, {"generator_ema": one})
    assert released.fill(tmp_path / "weights.npz", {"generator": other}) == 7
    kinds = set()
    for written, filled in zip(one.variables, other.variables, strict=True):
        values = np.asarray(written.value)
        kinds.add(values.dtype.kind)
        halved = values.astype(np.float16) if values.dtype.kind == "f" else values
        np.testing.assert_array_equal(filled.value, halved)
    assert kinds == {"f", "i"}
