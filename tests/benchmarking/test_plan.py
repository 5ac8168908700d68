"""The peer's networks, and what is refused."""

import pytest

from sflowgan_tf import config as settings
from sflowgan_tf.benchmarking import plan, pytorch
from sflowgan_tf.benchmarking.figures import Row
from sflowgan_tf.benchmarking.task import Task
from sflowgan_tf.training.assembly import networks
from sflowgan_tf.utils.errors import UserError
from tests.benchmarking.test_figures import TASK, measured

STEP = Task(workload="step", config="", classes="35", size="64x32", batch=1)


def convolution(kernel, inside, outside):
    return kernel * kernel * inside * outside + outside


def peer():
    return settings.load("minicity", plan.PEER_CONFIG)


def test_the_peers_generator_is_pix2pixhds_with_32_channels():
    down = [(32, 64), (64, 128), (128, 256), (256, 512)]
    expected = convolution(7, 36, 32) + convolution(7, 32, 3)
    expected += sum(convolution(3, *widths) for widths in down)
    expected += 9 * 2 * convolution(3, 512, 512)
    expected += sum(convolution(3, *reversed(widths)) for widths in down)
    assert expected == 45_672_611  # as pix2pixHD's own code has it
    network = networks.generator(peer(), int(plan.PEER_CLASSES))
    assert network.count_params() == expected


def test_the_peers_discriminators_are_two_of_32_channels():
    layers = [(39, 32), (32, 64), (64, 128), (128, 256), (256, 1)]
    expected = 2 * sum(convolution(4, *widths) for widths in layers)
    network = networks.discriminator(peer(), int(plan.PEER_CLASSES))
    assert network.count_params() == expected == 1_425_346


def test_the_peers_vgg19_ends_with_the_first_convolution_of_its_fifth_block():
    layers = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), *[(256, 256)] * 3]
    layers += [(256, 512), *[(512, 512)] * 4]
    expected = sum(convolution(3, *widths) for widths in layers)
    assert networks.features(peer()).count_params() == expected == 12_944_960


def test_the_peers_settings_are_pix2pixhds():
    config = peer()
    assert (config.precision, config.pipeline.batch_size) == ("float32", 1)
    assert (config.losses.gan, config.losses.perceptual, config.losses.l1) == ("lsgan", 10, 0)
    assert config.losses.feature_matching == 10 * 4  # a sum over four layers there, a mean here
    assert config.optimizer.beta_1 == 0.5
    assert config.appearance.kind == "none"


def test_the_peers_figures_are_medians_and_the_peak_of_training():
    inference = Task(**TASK.to_dict() | {"workload": "inference"})
    rows = [
        Row(task=TASK, ours=measured([3.0, 1.0, 2.0], peak_bytes=9)),
        Row(task=inference, ours=measured([0.5], peak_bytes=4)),
    ]
    expected = {"step_s": 2, "inference_s": 0.5, "peak_bytes": 9}
    assert plan.peer_figures(rows) == expected
    assert plan.peer_figures([Row(task=TASK, failure="no memory")]) == {}


@pytest.mark.parametrize(
    "override",
    [
        "edge_map=laplacian",
        "generator.kind=unet",
        "generator.grain=true",
        "losses.gan=hinge",
        "perceptual.network=hed perceptual.weights=imagenet",
        "discriminator.spectral_norm=true",
        "precision=mixed_float16",
    ],
)
def test_pytorch_is_not_asked_for_what_is_not_built_there(override):
    config = settings.load("minicity", plan.PEER_CONFIG, override.split())
    with pytest.raises(UserError, match=f"--against pytorch: .*{override.partition('=')[0]}"):
        pytorch.order(config, STEP, 35, "float32")


def test_pytorch_paints_sizes_that_its_downsamplings_divide():
    with pytest.raises(UserError, match="16 divides, got 64x40"):
        pytorch.order(peer(), Task(**STEP.to_dict() | {"size": "64x40"}), 35, "float32")


def test_pytorch_is_told_the_same_networks():
    order = pytorch.order(peer(), STEP, 35, "float32")
    assert (order["width"], order["height"], order["classes"]) == (64, 32, 35)
    assert order["generator"]["filters"] == order["discriminator"]["filters"] == 32
    assert sum(order["slice_weights"]) == pytest.approx(1)


def test_pytorch_is_told_where_the_pictures_lie():
    task = Task(**STEP.to_dict() | {"workload": "pipeline", "pictures": "here", "batch": 4})
    config = settings.load(
        "minicity", plan.PEER_CONFIG, ["edge_map=none", "discriminator.sees_edges=false"]
    )
    order = pytorch.loader_order(config, task)
    assert (order["folder"], order["batch"]) == ("here", 4)


@pytest.mark.parametrize("phase", ["video", "edges"])
def test_pytorch_reads_no_flow_and_no_instances(phase):
    task = Task(**STEP.to_dict() | {"workload": "pipeline", "phase": phase})
    config = settings.load("minicity") if phase == "video" else peer()
    with pytest.raises(UserError, match="--against pytorch: reads no flow and no instances"):
        pytorch.loader_order(config, task)
