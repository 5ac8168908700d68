import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from sflowgan_tf.data.flow import encode_flow
from sflowgan_tf.minicity import sequence, write
from sflowgan_tf.ops.classes import TABLES
from sflowgan_tf.utils.errors import UserError

SETTINGS = {"sequences": 2, "frames": 2, "size": (64, 32), "seed": 5}


def files(root):
    return {
        str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()
    }


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole") / "minicity"
    write(root, **SETTINGS, progress=None)
    return root


def read(root, kind, number, folder="MINICITY-SEQS-02-OVERCAST"):
    path = root / folder / kind / "Stereo_Left/Omni_F" / f"{number:06d}.png"
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    return image if image.ndim == 2 else image[..., ::-1]  # RGB


def test_the_files_hold_the_frames(root):
    for number, frame in enumerate(sequence(5, 1, 2, (64, 32))):
        labels = read(root, "GT/LABELS", number)
        assert labels.dtype == np.uint16
        np.testing.assert_array_equal(labels[..., 0], frame.labels)
        np.testing.assert_array_equal(labels[..., 1], frame.instances)
        assert not labels[..., 2].any()
        np.testing.assert_array_equal(read(root, "RGB", number), frame.image_cg)
        np.testing.assert_array_equal(read(root, "REAL", number), frame.image_real)
        depth = read(root, "Depth", number)
        assert depth.dtype == np.uint16
        near = frame.depth < 655
        np.testing.assert_allclose(depth[near] / 100, frame.depth[near], atol=0.00501)
        assert (depth[~near] == 65535).all()
        np.testing.assert_array_equal(read(root, "GT/LIGHTS", number), frame.lights)
        road = frame.labels == 3
        colors = read(root, "GT/COLOR", number)
        assert (colors[road] == (128, 64, 128)).all()
        table = TABLES["synthia"]
        np.testing.assert_array_equal(colors, table.colorize(table.encode(frame.labels)))


def test_the_flow_is_kittis(root):
    frame = next(sequence(5, 1, 2, (64, 32)))
    stored = read(root, "GT/FLOW", 0)
    assert stored.dtype == np.uint16
    assert frame.flow is not None and frame.flow_valid is not None
    valid = frame.flow_valid
    np.testing.assert_array_equal(stored[..., 2], valid)
    flow = (stored[..., :2].astype(float) - 2**15) / 64
    np.testing.assert_allclose(flow[valid], frame.flow[valid], atol=1 / 128)


def test_flow_that_is_not_valid_or_too_fast_is_marked():
    flow = np.zeros((1, 3, 2), np.float32)
    flow[0, 1, 0] = -600
    png = encode_flow(flow, np.array([[True, True, False]]))
    stored = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert stored is not None
    assert stored[0, :, 0].tolist() == [1, 0, 0] and stored[0, 1, 2] == 0


def test_the_last_frame_has_no_flow(root):
    flows = [path for path in files(root) if "FLOW" in path]
    assert len(flows) == 2 and all(path.endswith("000000.png") for path in flows)


def test_another_seed_gives_other_bytes(root, tmp_path):
    write(tmp_path, **(SETTINGS | {"seed": 6, "sequences": 1}), progress=None)
    names = {name.split("/", 1)[1]: data for name, data in files(root).items() if "-01-" in name}
    for name, data in files(tmp_path).items():
        if name.endswith(".png"):
            assert names[name.split("/", 1)[1]] != data


class _Stop(Exception):
    pass


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_a_run_that_was_cut_off_goes_on_to_the_same_bytes(root, tmp_path, moment):
    def stop(done, total):
        if done == moment:
            raise _Stop

    with pytest.raises(_Stop):
        write(tmp_path, **SETTINGS, progress=stop)
    assert all(len(list(path.rglob("*.png"))) == 13 for path in tmp_path.glob("MINICITY-*"))
    write(tmp_path, **SETTINGS, progress=None)
    assert files(tmp_path) == files(root)


def test_whole_sequences_stay_and_more_may_come(tmp_path):
    write(tmp_path, **(SETTINGS | {"sequences": 1}), progress=None)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    calls = []
    write(tmp_path, **SETTINGS, progress=lambda done, total: calls.append((done, total)))
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())
    assert calls == [(2, 4), (3, 4), (4, 4)]


def test_what_a_kill_left_goes_with_the_next_start(tmp_path):
    for name in ("MINICITY-SEQS-09-FOG.partial", ".MINICITY-SEQS-01-FOG.0a1b2c3d.partial"):
        (tmp_path / name / "RGB").mkdir(parents=True)
    write(tmp_path, **(SETTINGS | {"sequences": 1, "frames": 1}), progress=None)
    assert not list(tmp_path.glob("*.partial"))


def test_two_at_once_are_one_and_a_refusal(tmp_path):
    def refused(done, total):
        with pytest.raises(UserError, match="another command is at work there; wait"):
            write(tmp_path, **SETTINGS, progress=None)

    write(tmp_path, **(SETTINGS | {"sequences": 1, "frames": 1}), progress=refused)


def test_a_full_disk_is_told_with_the_pictures_name(root, tmp_path):
    """A limit on a file's size stands for the disk: writing behind it fails in the same way."""
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from sflowgan_tf import minicity\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        f"minicity.write(Path(sys.argv[1]), **{SETTINGS}, progress=None)"
    )
    command = [sys.executable, "-B", "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    place = "MINICITY-SEQS-01-NOON/RGB/Stereo_Left/Omni_F/000000.png"
    assert (
        done.stderr.splitlines()[-1] == f"OSError: [Errno 27] File too large: '{tmp_path / place}'"
    )
    write(tmp_path, **SETTINGS, progress=None)
    assert files(tmp_path) == files(root)


@pytest.mark.parametrize("change", [{"seed": 6}, {"frames": 3}, {"size": (80, 32)}])
def test_other_settings_are_refused(root, change):
    before = files(root)
    with pytest.raises(UserError, match="holds sequences made with"):
        write(root, **(SETTINGS | change), progress=None)
    assert files(root) == before


def test_settings_without_a_sequence_are_no_hindrance(tmp_path):
    (tmp_path / "minicity.json").write_text("{")
    write(tmp_path, **(SETTINGS | {"sequences": 1, "frames": 1}), progress=None)
    assert json.loads((tmp_path / "minicity.json").read_text())["frames"] == 1


def test_broken_settings_are_named(tmp_path):
    write(tmp_path, **(SETTINGS | {"sequences": 1, "frames": 1}), progress=None)
    (tmp_path / "minicity.json").write_text("{")
    with pytest.raises(UserError, match="damaged, no JSON .* use another folder"):
        write(tmp_path, **SETTINGS, progress=None)


@pytest.mark.parametrize("size", [(60, 32), (48, 32), (4096, 1024), (64, 16)])
def test_sizes_that_cannot_be_drawn_are_refused(tmp_path, size):
    with pytest.raises(UserError, match="multiples of 16"):
        write(tmp_path, **(SETTINGS | {"size": size}), progress=None)
    assert not files(tmp_path)
