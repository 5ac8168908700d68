"""The command: what it prints and writes, with a stand-in for PyTorch."""

import json
import sys

import pytest

from sflowgan_tf import benchmark
from sflowgan_tf.benchmarking.figures import Row
from tests.processes import run

NETWORKS = [
    "generator.filters=2",
    "generator.downsamplings=1",
    "generator.blocks=1",
    "discriminator.filters=2",
    "discriminator.depth=1",
    "perceptual.slices=1",
    "perceptual.slice_weights=[1]",
    "perceptual.filters=2",
]

# A "Python with PyTorch" that speaks as one does.
STAND_IN = """#!{python}
import json, sys
if sys.argv[2] == "import torch":
    raise SystemExit
order = json.loads(sys.stdin.readline())
figures = dict(items=order["batch"], precision=order["precision"], parameters={{}}, peak_bytes=1)
answers = dict(run=dict(seconds=0.5, cpu_seconds=0.25), figures=figures)
print(json.dumps(dict(first_s=0.1)), flush=True)
for line in sys.stdin:
    print(json.dumps(answers[json.loads(line)]), flush=True)
"""


@pytest.fixture
def stand_in(tmp_path):
    file = tmp_path / "python"
    file.write_text(STAND_IN.format(python=sys.executable))
    file.chmod(0o755)
    return file


def consistent(values, batch):
    seconds = values["seconds"]
    low, high = seconds["quartiles"]
    assert seconds["min"] <= low <= seconds["median"] <= high <= seconds["max"]
    assert values["items_per_second"] == pytest.approx(batch / seconds["median"])


def test_a_step_beside_pytorch(tmp_path, stand_in):
    file = tmp_path / "step.json"
    words = ["--classes", 3, "--sizes", "64x32", "--batches", 2, "--repeats", 3, "--profile"]
    words += ["--against", "pytorch", "--torch", stand_in, "--json", file]
    out, err = run("benchmark", "step", "--config", "cityscapes-pix2pixhd", *words, *NETWORKS)
    result = json.loads(file.read_text())
    assert {"made", "machine", "rows"} == {*result}
    (row,) = result["rows"]
    assert (row["workload"], row["size"], row["batch"]) == ("step", "64x32", 2)
    assert len(row["seconds"]["values"]) == 3
    consistent(row, 2)
    share = row["operations"] / row["seconds"]["median"] / row["ceilings"]["operations_per_second"]
    assert row["rates"]["operations"]["share"] == pytest.approx(share)
    assert row["first_s"] > row["seconds"]["min"]
    assert row["peak_bytes"] > 1e8  # TensorFlow alone
    assert row["parameters"]["discriminator"] > 0
    (rival,) = row["against"]
    assert (rival["name"], rival["seconds"]["median"]) == ("PyTorch, float32", 0.5)
    consistent(rival, 2)
    ratios = [seconds / 0.5 for seconds in row["seconds"]["values"]]
    assert rival["ratio"]["values"] == pytest.approx(ratios)
    assert sum(op["share"] for op in row["profile"]) == pytest.approx(1)
    assert "| 64x32 | 2 |" in out
    assert "| operation | ms | share |" in out
    assert "step 64x32, batch 2" in err


def test_the_peer_is_measured_at_training_and_painting(tmp_path):
    file = tmp_path / "peer.json"
    run("benchmark", "step", "--peer", "64x32", "--repeats", 1, "--json", file, *NETWORKS)
    result = json.loads(file.read_text())
    step, inference = result["rows"]
    assert (step["workload"], inference["workload"]) == ("step", "inference")
    assert result["step_s"] == step["seconds"]["median"]
    assert result["inference_s"] == inference["seconds"]["median"]
    assert result["peak_bytes"] == step["peak_bytes"]


def refused(words, capsys):
    assert benchmark.main(words.split()) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    return line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("step --batches 0", "--batches 0: expected whole numbers from 1 on"),
        ("step --sizes large", "--sizes: expected WIDTHxHEIGHT"),
        ("step --peer 64x32 --sizes 64x32", "--sizes: is fixed with --peer"),
        ("step --torch python3", "--torch: is there for --against pytorch"),
        ("step --peer huge", "--sizes: expected WIDTHxHEIGHT"),
        ("step --peer 64x32,128x64", "--sizes: expected WIDTHxHEIGHT"),
        ("step --batches ²", "--batches ²: expected whole numbers from 1 on"),
        ("step --classes 0 --sizes 64x32", "--classes 0: expected 1 to 255"),
        ("step --classes 256 --sizes 64x32", "--classes 256: expected 1 to 255"),
        ("--sizes large inference --batches 1", "--sizes: expected WIDTHxHEIGHT"),
        ("step --classes paris --sizes 64x32", "no class table 'paris'"),
        ("step --dataset folder --sizes 64x32", "--classes: folder brings its own classes"),
        ("step --against pytorch --sizes 64x32", "--against pytorch: has pix2pixHD's networks"),
        ("pipeline --data nowhere", "nowhere"),
        ("pipeline --against pytorch --phase video", "--against pytorch: reads no flow"),
        ("prepare --raw large", "--raw: expected WIDTHxHEIGHT"),
        ("evaluate --data nowhere --sizes 64x32", "--sizes: the records of --data"),
    ],
)
def test_mistakes_are_one_sentence(words, said, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert said in refused(words, capsys)


@pytest.mark.parametrize(
    "workload", ["film", "pipeline", "minicity", "prepare", "flow", "evaluate"]
)
def test_what_has_no_networks_asks_for_no_class_table(workload, capsys, monkeypatch):
    def measure(task, *_, **__):
        assert task.classes == ""
        return Row(task=task, failure="so far")

    monkeypatch.setattr("sflowgan_tf.benchmarking.plan.measure", measure)
    assert benchmark.main([workload, "--dataset", "folder", "--sizes", "64x32"]) == 1
    assert "could not be measured: so far" in capsys.readouterr().err


def test_a_place_that_can_not_be_written_is_known_before_anything_is_measured(capsys, monkeypatch):
    monkeypatch.setattr("sflowgan_tf.benchmarking.plan.measure", None)
    words = "step --classes 3 --sizes 64x32 --batches 1 --json nowhere/step.json"
    assert benchmark.main(words.split()) == 1
    assert "nowhere/step.json: can't be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", ["step --data records", "flow --profile", "prepare --batches 2", "teleport"]
)
def test_flags_of_others_are_unknown(words, capsys):
    with pytest.raises(SystemExit) as stopped:
        benchmark.main(words.split())
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_its_help_comes_without_tensorflow(capsys):
    for words in ([], ["step"]):
        with pytest.raises(SystemExit) as stopped:
            benchmark.main([*words, "--help"])
        assert stopped.value.code == 0
        assert "example: python -m sflowgan_tf.benchmark step" in capsys.readouterr().out
