"""The tab where a scene's versions are chosen: the DNED's weights, the appearance."""

import random
from dataclasses import replace
from pathlib import Path

import gradio as gr

from sflowgan_tf.data.media.pictures import SUFFIXES, read_image
from sflowgan_tf.ops.ensemble import ensemble_weights
from sflowgan_tf.playing import scenes
from sflowgan_tf.playing.easel import Easel
from sflowgan_tf.playing.page.parts import part
from sflowgan_tf.playing.recipe import CLUSTER, DRAWN, EQUAL, GIVEN, LIKE, Look
from sflowgan_tf.translation.appearance import Tone
from sflowgan_tf.utils.errors import UserError

_OUTPUTS = (
    "Output 1, finest",
    *(f"Output {n}" for n in (2, 3, 4)),
    "Output 5, coarsest",
    "All five, fused",
)
_TITLES = {GIVEN: "as given", DRAWN: "of a real frame, drawn", LIKE: "like a picture"}
VERSIONS = 6  # of a grid


class VersionsTab:
    """Its components."""

    def __init__(self, easel: Easel):
        """Lays them out for a model."""
        with gr.Row(elem_classes="stage"):
            with gr.Column(min_width=320, elem_classes="left"):
                gr.Markdown("### Weights of the DNED's six outputs")
                self.weights = [
                    gr.Slider(0, 1, round(EQUAL[0], 3), step=0.005, label=name) for name in _OUTPUTS
                ]
                with gr.Row():
                    self.dice = gr.Button("Throw the dice", min_width=120)
                    self.equal = gr.Button("Equal weights", min_width=120)
                    self.seed = gr.Number(
                        0, label="Seed", precision=0, min_width=110, container=True
                    )
                self.appearance = gr.Radio(
                    choices(easel),
                    value=GIVEN,
                    label="Colours",
                    info="Lights that the real frames have, the commonest first, or others",
                )
                self.like = gr.File(
                    label="A picture whose colours it shall have (PNG or JPEG)",
                    file_types=[".png", ".jpg", ".jpeg"],
                    height=150,
                )
                self.like_note = gr.HTML("")
            with gr.Column(min_width=320, elem_classes="right"):
                self.view = part("view", "The scene's frame and the picture", elem_classes="result")
                self.edges = gr.HTML(apply_default_css=False)
        with gr.Row():
            self.grid_of_weights = gr.Button(f"{VERSIONS} versions of the scene", min_width=200)
            self.grid_of_colors = gr.Button("The scene in all colours", min_width=200)
        self.grid = part("grid", "Versions of the scene")


def choices(easel: Easel) -> list[tuple[str, str]]:
    """The appearances of a model, each with its title."""
    return [(_title(appearance), appearance) for appearance in easel.appearances]


def _title(appearance: str) -> str:
    kind, _, number = appearance.partition(":")
    return f"light {int(number) + 1}" if kind == CLUSTER else _TITLES[kind]


def look(
    easel: Easel, weights: list[float], appearance: str, seed: float | None, tone: Tone | None
) -> Look:
    """What the tab's components say.

    Raises:
        UserError: there is none of these weights above 0, or a seed or a picture is missing.
    """
    if appearance == LIKE and tone is None:
        raise UserError("Colours like a picture: give the picture first")
    if easel.model.redraws and not sum(weights) > 0:
        raise UserError("All six weights are 0; set one of them above 0")
    return Look(
        weights=tuple(weights) if easel.model.redraws else None,
        appearance=appearance,
        seed=checked(seed),
        tone=tone if appearance == LIKE else None,
    )


def thrown() -> list[float]:
    """A new seed and the six weights that it gives."""
    seed = random.randrange(10_000)
    return [seed, *of_seed(seed)]


def of_seed(seed: float) -> list[float]:
    """Six weights.

    Raises:
        UserError: the seed is none.
    """
    drawn = ensemble_weights(2, checked(seed))[1]
    return [round(float(weight), 3) for weight in drawn]


def checked(seed: float | None) -> int:
    """A seed as a number; UserError where it is none."""
    if seed is None or not 0 <= seed <= scenes.MOST_SEED:
        raise UserError(f"Seed: expected a whole number from 0 to {scenes.MOST_SEED}")
    return int(seed)


def tone_of(file: str | None) -> Tone | None:
    """The colours of a picture that was dropped in, which is deleted.

    Raises:
        UserError: it can't be read.
    """
    if file is None:
        return None
    path = Path(file)
    try:
        return Tone.of(read_image(scenes.checked(path, SUFFIXES)))
    except UserError as error:
        raise UserError(str(error).replace(f"{path.parent}/", "")) from None
    finally:
        path.unlink(missing_ok=True)


def looks_by_weights(base: Look) -> list[tuple[str, Look]]:
    """Versions of a scene that differ in their edges, each with a title."""
    rows = ensemble_weights(VERSIONS, base.seed).tolist()
    return [
        (
            "equal weights" if number == 0 else f"version {number + 1}",
            replace(base, weights=tuple(row)),
        )
        for number, row in enumerate(rows)
    ]


def looks_by_color(easel: Easel, base: Look) -> list[tuple[str, Look]]:
    """Versions of a scene that differ in their colours, each with a title."""
    return [
        (_title(appearance), replace(base, appearance=appearance, tone=None))
        for appearance in easel.appearances
        if appearance != LIKE
    ]


def shown_weights(look: Look) -> list[float]:
    """What the six sliders say of a look."""
    weights = EQUAL if look.weights is None else look.weights
    total = max(sum(weights), 1e-9)
    return [round(weight / total, 3) for weight in weights]
