"""The tab where films are made."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr

from sflowgan_tf.playing import films, scenes
from sflowgan_tf.playing.easel import Easel
from sflowgan_tf.playing.page.parts import note
from sflowgan_tf.playing.page.scene_tab import OWN
from sflowgan_tf.playing.recipe import Look
from sflowgan_tf.utils.errors import UserError

DRIVE, VIDEOS = "a drive through minicity", "your videos"
_MOST_BYTES = 10 * scenes.MOST_BYTES  # of a video
_COLUMNS = [
    ("the simulator's frame", films.FRAME),
    ("classes", films.LABELS),
    ("painted", films.PAINTED),
    ("painted and steadied", films.STEADIED),
]


class FilmTab:
    """Its components."""

    def __init__(self) -> None:
        """Lays them out."""
        with gr.Row(elem_classes="stage"):
            with gr.Column(min_width=320):
                self.kind = gr.Radio([DRIVE, VIDEOS], value=DRIVE, label="Film of")
                with gr.Row() as self.drive:
                    self.seed = gr.Number(1, label="Street", precision=0, min_width=110)
                    self.length = gr.Slider(1, films.MOST_DRIVE, 40, step=1, label="Frames")
                with gr.Column(visible=False) as self.videos:
                    suffixes = [".mkv", ".mp4", ".avi"]
                    self.labels = gr.File(
                        label="Label video (lossless)", file_types=suffixes, height=150
                    )
                    self.frames = gr.File(
                        label="Video of the frames", file_types=suffixes, height=150
                    )
                    self.table = gr.Dropdown([OWN], value=OWN, label="Class table of the labels")
                self.columns = gr.CheckboxGroup(
                    _COLUMNS,
                    value=[films.FRAME, films.PAINTED, films.STEADIED],
                    label="Side by side",
                )
                self.weight = gr.Slider(
                    0, 0.95, 0.9, step=0.05, label="History: weight of the past when steadied"
                )
                with gr.Row():
                    self.make = gr.Button("Make the film", variant="primary", min_width=120)
                    self.cancel = gr.Button("Cancel", min_width=120)
                self.status = gr.HTML("", apply_default_css=False)
            with gr.Column(min_width=320):
                self.film = gr.Video(label="Film", autoplay=True, loop=True, height=360)
                gr.Markdown(
                    "Painted by the model above, with the weights and in the colours of the tab "
                    "Versions."
                )


def made(
    easel: Easel,
    look: Look,
    kind: str,
    seed: float | None,
    length: float,
    files: tuple[str | None, str | None],
    table: str,
    columns: list[str],
    weight: float,
    cancelled: threading.Event,
) -> Iterator[tuple[str, Any]]:
    """Makes a film.

    Yields:
        HTML of how far it is, and the film's file or `gr.skip()`; the file goes after the last one.

    Raises:
        UserError: something is missing or wrong.
    """
    given = [Path(file) for file in files if file] if kind == VIDEOS else []
    ordered = [column for _, column in _COLUMNS if column in columns]
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        try:
            reel = _reel(easel, kind, seed, int(length), given, table)
            with closing(films.make(easel, reel, look, ordered, weight, film)) as steps:
                for work, done, total in steps:
                    if cancelled.is_set():
                        yield note("Cancelled; nothing of it is kept."), gr.skip()
                        return
                    yield progress(work, done, total), gr.skip()
        except UserError as error:
            sentence = str(error)
            for file in given:
                sentence = sentence.replace(f"{file.parent}/", "")
            raise UserError(sentence) from None
        finally:
            for file in given:
                file.unlink(missing_ok=True)
        yield note("The film is ready."), str(film)


def _reel(
    easel: Easel, kind: str, seed: float | None, length: int, given: list[Path], table: str
) -> films.Reel:
    model = easel.model
    if kind == DRIVE:
        if seed is None:
            raise UserError("Street: expected a whole number from 0 on")
        return films.StreetReel(
            seed=int(seed), length=length, size=model.size, classes=model.classes
        )
    if len(given) < 2:
        raise UserError("Give both, a label video and the video of its frames")
    read = model.classes.reading(None if table == OWN else table)
    for file in given:
        if file.stat().st_size > _MOST_BYTES:
            raise UserError(
                f"{file.name}: larger than {_MOST_BYTES >> 20} MB; `translate` takes it"
            )
    return films.VideoReel(given[0], given[1], model.size, read)


def progress(work: str, done: int, total: int) -> str:
    """HTML of how far a film is."""
    of = f"{done} of {total} frames" if total else f"{done} frames"
    value = f'value="{done}" max="{total}"' if total else ""
    return (
        f'<p class="note-line">{work}: {of}</p>'
        f'<progress class="bar-line" aria-label="{work}" {value}></progress>'
    )
