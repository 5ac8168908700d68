"""Records a drive of the MetaDrive simulator as a tree that `prepare --dataset folder` reads.

    python record.py --output drives --seed 1 --frames 40

It needs the packages of requirements.txt and nothing of sflowgan_tf: so can any simulator be
recorded that has an environment of its own. README.md beside it says how to set it up.
"""

import argparse
import itertools
import json
import os
import re
import sys
from pathlib import Path

try:
    import cv2
    import numpy as np
    from tqdm import tqdm
except ModuleNotFoundError as error:
    sys.exit(f"error: {error}; install what requirements.txt beside it lists")

# Ids of CARLA 0.9.14, so that the table `carla-0.9.14-as-cityscapes` reads the label maps too.
IDS = {"road": 1, "sidewalk": 2, "terrain": 10, "sky": 11, "car": 14, "truck": 15, "road line": 24}
FOLDER = """\
images: images
labels: labels
classes:
  - {id: 0, name: nothing, ignored: true}
  - {id: 1, name: road, color: [128, 64, 128]}
  - {id: 2, name: sidewalk, color: [244, 35, 232]}
  - {id: 10, name: terrain, color: [152, 251, 152]}
  - {id: 11, name: sky, color: [70, 130, 180]}
  - {id: 14, name: car, color: [0, 0, 142]}
  - {id: 15, name: truck, color: [0, 0, 70]}
  - {id: 24, name: road line, color: [157, 234, 50]}
"""


class UserError(Exception):
    """A mistake of the user's: one sentence that says what to do."""


class Tree:
    """A drive's files: `images/DRIVE/NUMBER.png`, `labels/DRIVE/NUMBER.png` and `DRIVE.json`."""

    def __init__(self, output, seed, settings):
        """Begins a drive, or goes on with the one of the same seed and settings."""
        self.output, self.drive = output, f"drive-{seed:03d}"
        description = output / "folder.yaml"
        if not description.exists():  # it may be edited, as README.md says
            self._write(description, FOLDER.encode())
        self._say(output / f"{self.drive}.json", json.dumps({"seed": seed, **settings}) + "\n")

    def recorded(self):
        """How many frames are there from the first one on."""
        return next(n for n in itertools.count() if not self._file("images", n).exists())

    def add(self, number, image, ids):
        """Writes a frame, (height, width, 3) BGR, after its ids, (height, width), both uint8."""
        for kind, pixels in (("labels", ids), ("images", image)):
            self._write(self._file(kind, number), cv2.imencode(".png", pixels)[1].tobytes())

    def _file(self, kind, number):
        return self.output / kind / self.drive / f"{number:06d}.png"

    def _say(self, file, text):
        """Writes a file, or sees that it says the same already."""
        if not file.exists():
            self._write(file, text.encode())
        elif file.read_text() != text:
            raise UserError(f"{file} is of other settings; choose another --seed or --output")

    def _write(self, file, content):
        """Has a file whole or not at all: it gets its name when it is finished."""
        partial = file.with_name(f".{file.name}.partial")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            os.replace(partial, file)
        except OSError as error:
            raise UserError(f"{file}: {error.strerror}; choose another --output") from None


def drive(seed, every, start, size):
    """Yields frame and ids from moment `start` on, until the road is over or the car crashes.

    The same seed gives the same drive, so what is before `start` is driven without a picture.
    """
    env = begun(seed, size)
    frame, ids = pictures(env.engine, size)
    for number in itertools.count():
        if number >= start:
            tag(env.engine)
            env.engine.graphicsEngine.renderFrame()
            yield pixels(frame), pixels(ids)[..., 0]
        for _ in range(every):
            if env.step([0, 0])[2]:  # the car drives by itself, whatever the action
                return


def begun(seed, size):
    """MetaDrive at the beginning of a drive; its main camera looks out of the car."""
    from metadrive import MetaDriveEnv
    from metadrive.engine.core.our_pbr import OurPipeline
    from metadrive.obs.state_obs import LidarStateObservation
    from metadrive.policy.idm_policy import IDMPolicy
    from panda3d.core import loadPrcFileData

    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        loadPrcFileData("", "load-display p3headlessgl")  # EGL, which needs no display
    loadPrcFileData("", "notify-level-display fatal\nnotify-level-device fatal")
    init = OurPipeline.__init__  # asks for 16 samples a pixel, which Mesa does not have
    OurPipeline.__init__ = lambda self, **how: init(self, **{**how, "msaa_samples": 4})
    # Observations that are pictures would render each frame twice, and each car that comes.
    MetaDriveEnv.get_single_observation = lambda self, config: LidarStateObservation(config)
    looks = {"camera_dist": -0.8, "camera_height": 0.4, "camera_pitch": 5, "camera_smooth": False}
    shows = dict.fromkeys(("show_interface", "show_fps", "show_logo", "multi_thread_render"), False)
    env = MetaDriveEnv(
        {
            **looks,  # 0.8 m ahead of the middle, 1.5 m above the road, 5 degrees down
            **shows,
            "start_seed": seed,
            "map": 7,  # blocks of road
            "traffic_density": 0.2,
            "agent_policy": IDMPolicy,
            "vehicle_config": {"image_source": "main_camera", "show_navi_mark": False},
            "window_size": size,
            "image_observation": True,  # or nothing is rendered at all
            "global_light": False,  # whose shadow map has 8192x8192 pixels
            "disable_model_compression": True,  # it would compress textures anew each time
        }
    )
    try:
        env.lazy_init()
    except Exception as error:  # Panda3D raises nothing narrower
        raise UserError(
            f"nothing to render on ({error}); install EGL (Debian: libegl1 and libgl1-mesa-dri), "
            "or start the command by xvfb-run -a"
        ) from None
    env.config["image_observation"] = False
    env.engine.taskMgr.remove("igLoop")  # from here on `renderFrame` alone renders
    np.random.seed(seed)  # MetaDrive draws heights of its roads from it, without a seed
    env.reset()
    env.vehicle.origin.hide()
    for texture in env.engine.render.findAllTextures():
        texture.setAnisotropicDegree(1)  # else Mesa's CPU renderer stands still now and then
    return env


def pictures(engine, size):
    """The textures that hold, once rendered, what the main camera sees, and the ids of that.

    For the ids, what has the tag `class` is drawn in one flat grey: without light, texture and
    shader, and on a buffer without multisampling and sRGB, which would change it.
    """
    from panda3d.core import FrameBufferProperties, GraphicsOutput, NodePath, Texture

    frame = Texture()
    engine.win.addRenderTexture(frame, GraphicsOutput.RTMCopyRam)
    exact = FrameBufferProperties()
    exact.setRgbaBits(8, 8, 8, 8)
    exact.setDepthBits(24)
    buffer = engine.win.makeTextureBuffer("ids", *size, None, True, exact)
    camera = engine.makeCamera(buffer, lens=engine.camLens, clearColor=(0, 0, 0, 1))
    camera.reparentTo(engine.cam)
    camera.node().setCameraMask(engine.cam.node().getCameraMask())
    camera.node().setTagStateKey("class")
    for class_id in (0, *IDS.values()):
        flat = NodePath("flat")
        flat.setLightOff(100)
        flat.setTextureOff(100)
        flat.setShaderOff(100)
        flat.setTransparency(False, 100)
        flat.setColor(*[class_id / 255] * 3, 1, 100 if class_id else 50)
        camera.node().setTagState(str(class_id), flat.getState())
        if not class_id:
            camera.node().setInitialState(flat.getState())  # of what has no tag
    return frame, buffer.getTexture()


def tag(engine):
    """Gives each thing that is there by now its class."""
    from metadrive.component.vehicle.base_vehicle import BaseVehicle
    from metadrive.component.vehicle.vehicle_type import XLVehicle

    engine.terrain.origin.setTag("class", str(IDS["terrain"]))
    engine.sky_box.origin.setTag("class", str(IDS["sky"]))
    for end, name in {"lane_vis": "road", "lane_line": "road line", "sidewalk": "sidewalk"}.items():
        for node in engine.render.findAllMatches(f"**/*_{end}"):
            node.setTag("class", str(IDS[name]))
    for thing in engine.get_objects().values():
        if isinstance(thing, BaseVehicle):
            name = "truck" if isinstance(thing, XLVehicle) else "car"
            thing.origin.setTag("class", str(IDS[name]))


def pixels(texture):
    """A texture's pixels, (height, width, 3) BGR, uint8."""
    shape = texture.getYSize(), texture.getXSize(), 3
    return np.frombuffer(texture.getRamImageAs("BGR"), np.uint8).reshape(shape)[::-1].copy()


def number(least, most):
    """A flag's type: a whole number in bounds, both included."""

    def read(text):
        if not (text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"expected {least} to {most}, got {text}")
        return int(text)

    return read


def size(text):
    """A flag's type: WIDTHxHEIGHT."""
    found = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    if not found or not all(32 <= int(side) <= 4096 for side in found.groups()):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, 32 to 4096 each, got {text}")
    return int(found[1]), int(found[2])


def flags():
    """The command's flags."""
    parser = argparse.ArgumentParser(description="Records a drive of MetaDrive.")
    add = parser.add_argument
    add("--output", type=Path, required=True, help="folder, of this and other drives")
    add("--seed", type=number(0, 9999), default=1, help="of road and traffic, names the drive; 1")
    add("--frames", type=number(1, 99999), default=40, help="of the whole drive; 40")
    add("--every", type=number(1, 100), default=1, help="steps of 0.1 s between frames; 1")
    add("--size", type=size, default="256x192", help="WIDTHxHEIGHT; 256x192")
    return parser


def record(output, seed, frames, every, size):
    """Records what is not there yet of a drive; returns what to say of it."""
    tree = Tree(output, seed, {"every": every, "size": size})
    start = tree.recorded()
    if start < frames:
        with tqdm(desc=tree.drive, total=frames, initial=start, unit="frame") as bar:
            moments = drive(seed, every, start, size)
            for number, moment in enumerate(itertools.islice(moments, frames - start), start):
                tree.add(number, *moment)
                bar.update()
    made = tree.recorded()
    short = "" if made >= frames else "; there the drive ends, another --seed gives another one"
    return f"{output / 'images' / tree.drive}: {made} frames{short}"


if __name__ == "__main__":
    try:
        print(record(**vars(flags().parse_args())))
    except ModuleNotFoundError as error:
        print(f"error: {error}; install what requirements.txt beside it lists", file=sys.stderr)
        sys.exit(2)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        sys.exit(130)
