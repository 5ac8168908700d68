"""The tab where a scene is chosen and painted on."""

import random
from pathlib import Path
from typing import Any

import gradio as gr

from sflowgan_tf.ops.classes import TABLES, ClassTable
from sflowgan_tf.playing import scenes
from sflowgan_tf.playing.canvas import Canvas
from sflowgan_tf.playing.easel import Easel
from sflowgan_tf.playing.page.parts import Value, on_canvas, part
from sflowgan_tf.utils.errors import UserError

OWN = "the model's own"


class SceneTab:
    """Its components and what they do."""

    def __init__(self, first: Value):
        """Lays them out.

        Args:
            first: of `on_canvas`, that the page opens with.
        """
        with gr.Row(elem_classes="stage"):
            with gr.Column(min_width=320, elem_classes="left"):
                self.editor = part("editor", "Scene to paint on", value=first)
            with gr.Column(min_width=320, elem_classes="right"):
                self.view = part("view", "The scene's frame and the picture", elem_classes="result")
                with gr.Column(elem_classes="picker"):
                    self._streets()
                    self._records()
                    self._uploads()

    def _streets(self) -> None:
        with gr.Row():
            self.seed = gr.Number(1, label="Street", precision=0, min_width=100, scale=1)
            self.moment = gr.Slider(
                0, scenes.DRIVE - 1, 5, step=1, label="Moment of the drive", min_width=200, scale=3
            )
        with gr.Row():
            self.another = gr.Button("Another street", min_width=130)
            self.empty = gr.Button("Empty street", min_width=130)

    def _records(self) -> None:
        with gr.Accordion("A frame of a prepared dataset", open=False):
            self.dataset = gr.Dropdown([], label="Dataset, a folder in datasets/")
            with gr.Row():
                self.split = gr.Radio(["train", "validation"], value="validation", label="Part")
                self.number = gr.Number(0, label="Frame", precision=0, min_width=100)
            self.show = gr.Button("Show")

    def _uploads(self) -> None:
        with gr.Accordion("Your own label map and frame", open=False):
            self.label_map = gr.File(
                label="Label map (PNG)", file_types=[".png"], height=150, elem_id="label-map"
            )
            self.picture = gr.File(
                label="Frame of the same scene (PNG or JPEG)",
                elem_id="frame",
                file_types=[".png", ".jpg", ".jpeg"],
                height=150,
            )
            self.table = gr.Dropdown([OWN], value=OWN, label="Class table of the label map")
            self.open = gr.Button("Open")
            gr.Markdown(
                "They are cut and resized to the size of the model, stay on this machine and are "
                "deleted at once."
            )


def first_scene(easel: Easel, seed: int, moment: int) -> Value:
    """A street; where the model has other classes, an empty one."""
    try:
        return street(easel, seed, moment)
    except UserError:
        return empty(easel)


def street(easel: Easel, seed: float, moment: float) -> Value:
    """A moment of one of minicity's streets.

    Raises:
        UserError: there is no such street, or the model has other classes.
    """
    place = scenes.Street(seed=int(seed), number=int(moment))
    return _found(easel, place)


def another() -> int:
    """The seed of any street."""
    return random.randrange(1000)


def empty(easel: Easel) -> Value:
    """Sky and road."""
    model = easel.model
    canvas = scenes.empty(model.size, model.classes, easel.brush_colors)
    return on_canvas(easel, scenes.Empty(), canvas)


def stored(easel: Easel, dataset: str | None, split: str, number: float | None) -> Value:
    """A frame of prepared records.

    Raises:
        UserError: there is no such frame.
    """
    if not dataset or number is None:
        raise UserError("Choose a dataset and a frame; `prepare` makes datasets")
    return _found(easel, scenes.Stored(dataset=dataset, split=split, number=int(number)))


def uploaded(easel: Easel, label_map: str | None, picture: str | None, table: str) -> Value:
    """A scene of two files, which are deleted.

    Raises:
        UserError: one is missing or can't be read.
    """
    files = [Path(file) for file in (label_map, picture) if file]
    try:
        if len(files) < 2:
            raise UserError("Give both, a label map and the frame of the same scene")
        model = easel.model
        read = model.classes.reading(None if table == OWN else table)
        canvas = scenes.of_files(files[0], files[1], model.size, read)
    except UserError as error:
        raise UserError(_without_folders(str(error), files)) from None
    finally:
        for file in files:
            file.unlink(missing_ok=True)
    return on_canvas(easel, scenes.Given(files[1].stem), canvas)


def _without_folders(sentence: str, files: list[Path]) -> str:
    """A message that names files as their owner does."""
    for file in files:
        sentence = sentence.replace(f"{file.parent}/", "")
    return sentence


def tables(classes: ClassTable) -> list[str]:
    """The class tables that label maps for a model may have."""
    return [OWN, *(name for name, table in TABLES.items() if table.names == classes.names)]


def edited(easel: Easel, value: Value | None) -> Canvas:
    """What the part `editor` holds.

    Raises:
        UserError: it is no scene for this model.
    """
    if not isinstance(value, dict):
        raise UserError("There is no scene; choose one")
    try:
        size = int(value["width"]), int(value["height"])
        text = str(value["data"])
    except (KeyError, TypeError, ValueError):
        raise UserError("The scene is damaged; reload the page") from None
    return Canvas.unpacked(text, size, easel.model.classes.num_classes)


def source(value: Value) -> scenes.Place:
    """Where the scene in the part `editor` comes from."""
    return scenes.parsed(str(value.get("source", "")))


def of_model(easel: Easel) -> dict[str, Any]:
    """What there is to choose from for a model: keyword arguments of two drop-downs."""
    datasets = list(scenes.datasets(easel.model.classes))
    return {
        "dataset": {"choices": datasets, "value": datasets[0] if datasets else None},
        "table": {"choices": tables(easel.model.classes), "value": OWN},
    }


def _found(easel: Easel, place: scenes.Street | scenes.Stored) -> Value:
    model = easel.model
    return on_canvas(easel, place, scenes.find(place, model.size, model.classes))
