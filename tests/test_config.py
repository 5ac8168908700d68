import dataclasses
from pathlib import Path

import pytest

from sflowgan_tf import config
from sflowgan_tf.utils.errors import UserError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("generator: {filters: 32}\noptimizer: {learning_rate: 1e-4}\n")
    return path


def test_overrides_win_over_the_file_and_the_file_over_the_defaults(file):
    made = config.load("minicity", file, ["generator.filters=16"])
    assert made.generator.filters == 16
    assert made.optimizer.learning_rate == 1e-4
    assert made.generator.blocks == config.Generator().blocks


def test_the_defaults_are_the_papers():
    defaults = config.Config()
    assert (defaults.optimizer.learning_rate, defaults.optimizer.beta_1) == (2e-4, 0.5)
    assert defaults.discriminator.num_scales == 1
    assert (defaults.losses.feature_matching, defaults.losses.perceptual) == (10, 10)
    assert defaults.losses.gan == "log"
    assert defaults.pipeline.batch_size == 1


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("generator.filter=3", "Did you mean: 'filters'?"),
        ("generator.kind=vae", "generator.kind: Invalid value 'vae', expected one of ['global'"),
        ("phases.edges=many", "phases.edges: Value 'many' of type 'str' could not be converted"),
        ("precision=half", "mixed_float16"),
    ],
)
def test_a_wrong_override_is_a_line_that_names_the_key(file, override, said):
    with pytest.raises(UserError) as error:
        config.load("minicity", file, [override])
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_yaml_is_named(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("generator: {filters: [")
    with pytest.raises(UserError, match=r"broken\.yaml"):
        config.load("minicity", broken)


def test_a_missing_configuration_lists_those_there_are():
    with pytest.raises(UserError, match=r"paris\.yaml.*minicity"):
        config.load("paris")


@pytest.mark.parametrize("name", config.available())
def test_the_configurations_that_come_along_load_and_say_how_they_are_run(name):
    config.load(name, config.folder() / f"{name}.yaml")
    head = (config.folder() / f"{name}.yaml").read_text().split("\n\n")[0]
    assert f"--dataset {name.rpartition('-')[0] or name}" in head
    for word in ("Hardware:", "Time:", "Result:"):
        assert word in head


def test_saving_and_reading_gives_the_same(file, tmp_path):
    made = config.load("minicity", file)
    config.save(made, tmp_path / "saved.yaml")
    assert config.read(tmp_path / "saved.yaml") == made


def test_a_saved_file_of_another_version_is_an_error(tmp_path):
    old = tmp_path / "config.yaml"
    old.write_text("colour: blue\n")
    with pytest.raises(UserError, match=r"colour.*another version"):
        config.read(old)


def test_differences_name_the_keys_in_full(file):
    one = config.load("minicity", file)
    other = dataclasses.replace(
        one, generator=dataclasses.replace(one.generator, filters=8), seed=3
    )
    assert config.differences(one, other) == ["generator.filters: 32 -> 8", "seed: 0 -> 3"]


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\xff", b"- 1\n- 2\n"])
def test_a_file_that_is_no_configuration_is_named(tmp_path, content):
    file = tmp_path / "a.yaml"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"configuration .*a\.yaml: "):
        config.load("minicity", file)


@pytest.mark.parametrize(
    "text", ["512", "512x", "x256", "0x256", "1x256", "512X256", "-1x5", "51.2x3"]
)
def test_a_size_that_is_none_names_the_argument(text):
    with pytest.raises(UserError, match="--size: expected WIDTHxHEIGHT"):
        config.size(text, "--size")


def test_a_size_is_width_then_height():
    assert config.size("512x256") == (512, 256)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("pipeline.batch_size=0", "pipeline.batch_size=0: expected 1 or more"),
        ("seed=-1", "seed=-1: expected 0 or more"),
        ("discriminator.num_scales=4", "discriminator.num_scales=4: expected 3 or less"),
        ("perceptual.slice_weights=[1,2]", "2 values; expected 5"),
        ("perceptual.slice_weights=[0,0,0,0,0]", "expected numbers from 0 on, not all of them 0"),
        ("perceptual.slice_weights=[1,1,1,1,-1]", "expected numbers from 0 on"),
        ("perceptual.scale=1.5", "perceptual.scale=1.5: expected 1 or less"),
        ("perceptual.scale=0", "perceptual.scale=0: leaves less than 16 pixels of a side of 256"),
        ("perceptual.network=hed perceptual.filters=16", "perceptual.filters=16: .*filters=64 or"),
        ("perceptual.network=hed perceptual.weights=random", "set perceptual.weights=imagenet or"),
        ("dned.sees=image edge_map=none", "dned.sees=image: needs .*so set dned.sees=edges$"),
        (
            "dned.trained=false dned.weights=hed dned.sees=image edge_map=none",
            "so set dned.sees=edges dned.weights=random dned.trained=true$",
        ),
        ("dned.weights=hed edge_map=instances", "dned.weights=hed: needs edge_map=laplacian"),
        ("dned.sharpening=1", "set dned.sees=image, or dned.sharpening=0"),
        ("dned.sharpening=1 edge_map=none", "so set dned.sharpening=0"),
        ("dned.trained=false edge_map=none", "dned.trained=false: needs edge_map=laplacian"),
        ("dned.weights=hed dned.filters=32", "dned.weights=hed has weights for 8, 16, 64"),
        ("dned.weights=hed dned.filters=8", "dned.filters=8: .*set dned.sees=image, or"),
        ("dned.trained=false", "random weights finds no edges; set dned.weights=hed, or"),
        ("dned.trained=false dned.weights=hed dned.balanced=true", "dned.balanced=true: weighs"),
        ("generator.frozen_epochs=1", "generator.kind=local_enhancer"),
        ("generator.global_run=x", "generator.kind=local_enhancer"),
        ("generator.kind=unet generator.global_run=x", "generator.kind=local_enhancer"),
        ("generator.separable=true", "needs .*bilinear or nearest, got global and transposed"),
        ("generator.separable=true generator.kind=unet", "needs generator.kind=global"),
        ("generator.skips=true generator.kind=unet", "needs generator.kind=global, got unet"),
        ("generator.grain=true generator.kind=unet", "got unet; set generator.grain=false"),
        ("edge_map=none discriminator.sees_edges=true", "no edges with edge_map=none; set one of"),
        ("edge_map=instances phases.video=1", "phases.video=1: .*edge_map=instances; set phases"),
        ("generator.kind=sequential appearance.kind=regions", "set appearance.kind=none"),
        ("losses.l1=-1", "losses.l1=-1.0: expected 0 or more"),
        ("losses.warping=nan", "losses.warping=nan: expected a finite number"),
        ("records.edges.blur=inf", "records.edges.blur=inf: expected a finite number"),
        ("optimizer.learning_rate=inf", "optimizer.learning_rate=inf: expected a finite number"),
        ("records.flow.poly_sigma=-inf", "records.flow.poly_sigma=-inf: expected a finite number"),
        ("segmenter.units=[0]", r"segmenter.units=\[0\]: expected 1 or more"),
        ("optimizer.beta_2=1.1", "optimizer.beta_2=1.1: expected 1 or less"),
        ("phases.edges=0 phases.dned=0", "phases.video: all 0; expected epochs of one"),
    ],
)
def test_a_value_out_of_range_is_named(file, override, said):
    with pytest.raises(UserError, match=said):
        config.load("minicity", file, override.split())


@pytest.mark.parametrize(
    "overrides",
    [
        "perceptual.network=hed perceptual.scale=0.5",
        "dned.sees=image",
        "dned.weights=hed",
        "dned.weights=hed dned.sees=image dned.filters=8 dned.trained=false",
        "dned.trained=false start_run=other",
    ],
)
def test_what_goes_together_is_taken(file, overrides):
    config.load("minicity", file, overrides.split())


@pytest.mark.parametrize("name", [".", "..", "/"])
def test_a_folder_is_no_configuration(name):
    with pytest.raises(UserError, match="no configuration .*: expected an existing file or one of"):
        config.load("minicity", Path(name))
