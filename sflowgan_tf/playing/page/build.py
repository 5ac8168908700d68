"""The page: its head, its tabs, and what leads from one to the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr

from sflowgan_tf.playing import gallery
from sflowgan_tf.playing.canvas import Canvas
from sflowgan_tf.playing.easel import Easel, Studio
from sflowgan_tf.playing.page import film_tab, opening, parts, runs_tab, scene_tab, versions_tab
from sflowgan_tf.playing.page.parts import Value
from sflowgan_tf.playing.page.told import told
from sflowgan_tf.playing.recipe import GIVEN, LIKE, Look, Recipe
from sflowgan_tf.utils.errors import Failure, UserError

_SEED, _MOMENT = 1, 5  # of the street that the page opens with
_KEPT = 1800  # seconds that a film, or an upload that was never opened, is kept
# The newest of what was painted meanwhile is painted next, the rest is dropped.
_LIVE: dict[str, Any] = {"trigger_mode": "always_last", "show_progress": "hidden"}
_ALONE: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "painting"}
_QUIET: dict[str, Any] = {"show_progress": "hidden"}
_HEAD = """<div class="masthead"><h1>S-Flow GAN</h1>
<p>Paint on a simulator's street, and see it as a camera would have.</p></div>"""


class Page:
    """The page of a studio.

    Attributes:
        blocks: what Gradio serves.
    """

    def __init__(self, studio: Studio):
        """Lays the page out; it opens with a scene that is painted already."""
        self._studio = studio
        self._films: dict[str, threading.Event] = {}  # that are being made, by session
        easel = studio.easel(studio.first)
        scene = scene_tab.first_scene(easel, _SEED, _MOMENT)
        with gr.Blocks(
            title="S-Flow GAN",
            analytics_enabled=False,
            delete_cache=(60, _KEPT),
            fill_width=True,
        ) as self.blocks:
            self._tone = gr.State(None)
            self._looks = gr.State([])
            with gr.Row(elem_classes="masthead-row"):
                with gr.Column(min_width=300, scale=3):
                    gr.HTML(_HEAD, apply_default_css=False)
                with gr.Column(min_width=160, scale=1):
                    self._model = gr.Dropdown(studio.names, value=studio.first, label="Model")
                with gr.Column(min_width=210, scale=0):
                    self._opener = parts.part("opener", "Open a saved picture for its recipe")
            with gr.Tab("Scene"):
                self._scene = scene_tab.SceneTab(scene)
            with gr.Tab("Versions"):
                self._versions = versions_tab.VersionsTab(easel)
            with gr.Tab("Film"):
                self._film = film_tab.FilmTab()
            with gr.Tab("Runs") as self._runs_tab:
                self._runs = runs_tab.RunsTab()
            self._look = [
                *self._versions.weights,
                self._versions.appearance,
                self._versions.seed,
                self._tone,
            ]
            self._shown = [self._scene.view, self._versions.view, self._versions.edges]
            self._wire_scene()
            self._wire_versions()
            self._wire_film()
            self._wire_runs()
            self._wire_model()
        for function in self.blocks.fns.values():  # the page is no programming interface
            function.api_visibility = "private"

    def _painting(self, event: Any) -> None:
        """Paints after what an event did."""
        event.then(self._paint, self._inputs, self._shown, **_QUIET, **_ALONE)

    def _emptying(self, event: Any, files: list[gr.File]) -> None:
        """Takes files off the page that an event has deleted, whatever came of it."""
        nothing = [None] * len(files) if files[1:] else None
        for ended in (event.success, event.failure):
            ended(lambda: nothing, None, files, **_QUIET)

    @property
    def _inputs(self) -> list[Any]:
        return [self._model, self._scene.editor, *self._look]

    def _wire_scene(self) -> None:
        tab, model = self._scene, self._model
        tab.editor.input(self._paint, self._inputs, self._shown, **_LIVE, **_ALONE)
        place = [model, tab.seed, tab.moment]
        street = told(self._street)
        self._painting(tab.seed.input(street, place, tab.editor, **_LIVE))
        self._painting(tab.moment.input(street, place, tab.editor, **_LIVE))
        self._painting(
            tab.another.click(scene_tab.another, None, tab.seed, **_QUIET).then(
                street, place, tab.editor, **_QUIET
            )
        )
        empty = told(lambda name: scene_tab.empty(self._easel(name)))
        self._painting(tab.empty.click(empty, model, tab.editor, **_QUIET))
        stored = told(lambda name, *frame: scene_tab.stored(self._easel(name), *frame))
        frame = [model, tab.dataset, tab.split, tab.number]
        self._painting(tab.show.click(stored, frame, tab.editor))
        files = [tab.label_map, tab.picture]
        uploaded = told(lambda name, *given: scene_tab.uploaded(self._easel(name), *given))
        opened = tab.open.click(uploaded, [model, *files, tab.table], tab.editor)
        self._painting(opened)
        self._emptying(opened, files)

    def _wire_versions(self) -> None:
        tab = self._versions
        for component in (*tab.weights, tab.appearance):
            component.input(self._paint, self._inputs, self._shown, **_LIVE, **_ALONE)
        numbers = [tab.seed, *tab.weights]
        self._painting(tab.dice.click(versions_tab.thrown, None, numbers, **_QUIET))
        equal = versions_tab.shown_weights(Look())
        self._painting(tab.equal.click(lambda: equal, None, tab.weights, **_QUIET))
        seeded = told(self._weights_of)
        self._painting(tab.seed.input(seeded, tab.seed, tab.weights, **_LIVE))
        dropped = tab.like.upload(
            told(self._take_tone),
            tab.like,
            [self._tone, tab.appearance, tab.like_note],
            **_QUIET,
        )
        self._painting(dropped)
        self._emptying(dropped, [tab.like])
        cells = [tab.grid, self._looks]
        tab.grid_of_weights.click(told(self._by_weights), self._inputs, cells, **_ALONE)
        tab.grid_of_colors.click(told(self._by_color), self._inputs, cells, **_ALONE)
        chosen = [*tab.weights, tab.appearance]
        self._painting(tab.grid.select(told(self._use), self._looks, chosen, **_QUIET))

    def _wire_film(self) -> None:
        tab = self._film
        tab.kind.change(
            lambda kind: [
                gr.update(visible=kind == own) for own in (film_tab.DRIVE, film_tab.VIDEOS)
            ],
            tab.kind,
            [tab.drive, tab.videos],
            **_QUIET,
        )
        files = [tab.labels, tab.frames]
        making = tab.make.click(
            told(self._make_film),
            [
                self._model,
                *self._look,
                tab.kind,
                tab.seed,
                tab.length,
                *files,
                tab.table,
                tab.columns,
                tab.weight,
            ],
            [tab.status, tab.film],
            show_progress="hidden",
            concurrency_limit=1,
        )
        self._emptying(making, files)
        tab.cancel.click(self._cancel_film, **_QUIET)

    def _wire_runs(self) -> None:
        tab = self._runs
        opened = self._runs_tab.select(self._open_runs, tab.names, [tab.hint, *tab.names])
        for name, shown in zip(tab.names, tab.shown, strict=True):
            show = (told(self._show_run), [name, *self._inputs[1:]], shown)
            opened.then(*show, **_ALONE)
            name.input(*show, **_ALONE)

    def _wire_model(self) -> None:
        fitted = [
            self._scene.editor,
            self._scene.dataset,
            self._scene.table,
            self._film.table,
            self._versions.like,
            self._versions.appearance,
            *self._versions.weights,
        ]
        self.blocks.load(self._fit, self._model, fitted[1:], **_QUIET)
        self._painting(
            self._model.input(
                told(lambda name: [self._first(name), *self._fit(name)]), self._model, fitted
            )
        )
        restored = [
            self._model,
            self._scene.editor,
            *self._look,
            *fitted[1:5],
        ]
        self._painting(
            self._opener.upload(told(self._restore), [self._opener, self._model], restored)
        )
        self._painting(self.blocks.load(self._names, None, self._model, **_QUIET))

    def _names(self) -> Any:
        return gr.update(choices=self._studio.names)

    def _easel(self, name: str) -> Easel:
        return self._studio.easel(name)

    def _street(self, name: str, seed: float | None, moment: float) -> Any:
        if seed is None:  # it is being written
            return gr.skip()
        return scene_tab.street(self._easel(name), seed, moment)

    def _weights_of(self, seed: float | None) -> Any:
        if seed is None:
            return [gr.skip()] * len(self._versions.weights)
        return versions_tab.of_seed(seed)

    def _first(self, name: str) -> Value:
        return scene_tab.first_scene(self._easel(name), _SEED, _MOMENT)

    def _fit(self, name: str) -> list[Any]:
        """What there is to choose from for a model; see `_wire_model`."""
        easel = self._easel(name)
        offered = scene_tab.of_model(easel)
        redraws = easel.model.redraws
        return [
            gr.update(**offered["dataset"]),
            gr.update(**offered["table"]),
            gr.update(**offered["table"]),
            gr.update(visible=LIKE in easel.appearances),
            gr.update(choices=versions_tab.choices(easel), value=GIVEN),
            *[gr.update(interactive=redraws) for _ in self._versions.weights],
        ]

    def _arranged(
        self, name: str, value: Value | None, look: list[Any]
    ) -> tuple[Easel, Canvas, Look]:
        """Model, scene and look as the components say."""
        easel = self._easel(name)
        *weights, appearance, seed, tone = look
        chosen = versions_tab.look(easel, weights, appearance, seed, tone)
        return easel, scene_tab.edited(easel, value), chosen

    def _recipe(self, easel: Easel, value: Value, canvas: Canvas, look: Look) -> Recipe:
        return opening.recipe(easel, scene_tab.source(value), canvas, look)

    @property
    def _paint(self) -> Any:
        return told(self._painted)

    def _painted(self, name: str, value: Value, *look: Any) -> list[Any]:
        easel, canvas, chosen = self._arranged(name, value, [*look])
        painted = easel.paint(canvas, chosen)
        recipe = self._recipe(easel, value, canvas, chosen)
        width, height = canvas.size
        note = f"{name}, step {recipe.step}, {width}x{height}"
        view = parts.compared(canvas, painted, recipe, note)
        return [view, view, parts.edge_map(painted.edges)]

    def _take_tone(self, file: str | None) -> list[Any]:
        tone = versions_tab.tone_of(file)
        if tone is None:
            return [gr.skip()] * 3
        return [tone, LIKE, parts.note("The picture's colours are taken.")]

    def _by_weights(self, name: str, value: Value, *look: Any) -> list[Any]:
        easel, canvas, chosen = self._arranged(name, value, [*look])
        if not easel.model.redraws:
            raise UserError("This model has no DNED, so a scene has one version; try all colours")
        return self._grid(easel, value, canvas, versions_tab.looks_by_weights(chosen))

    def _by_color(self, name: str, value: Value, *look: Any) -> list[Any]:
        easel, canvas, chosen = self._arranged(name, value, [*look])
        return self._grid(easel, value, canvas, versions_tab.looks_by_color(easel, chosen))

    def _grid(
        self, easel: Easel, value: Value, canvas: Canvas, looks: list[tuple[str, Look]]
    ) -> list[Any]:
        cells = []
        for title, look in looks:
            recipe = self._recipe(easel, value, canvas, look)
            picture = parts.with_recipe(easel.paint(canvas, look).picture, recipe)
            cells.append({"title": title, "picture": picture, "name": parts.file_name(recipe)})
        return [{"cells": cells}, [look for _, look in looks]]

    def _use(self, looks: list[Look], event: gr.EventData) -> list[Any]:
        look = looks[event.index]
        return [*versions_tab.shown_weights(look), look.appearance]

    def _cancel_film(self, request: gr.Request) -> None:
        """Gradio's own way to cancel leaves the queue shut while a frame is painted."""
        if cancelled := self._films.get(str(request.session_hash)):
            cancelled.set()

    def _make_film(self, request: gr.Request, name: str, *more: Any) -> Iterator[tuple[str, Any]]:
        session, cancelled = str(request.session_hash), threading.Event()
        self._films[session] = cancelled
        try:
            yield from self._filmed(name, cancelled, *more)
        finally:
            self._films.pop(session, None)

    def _filmed(
        self, name: str, cancelled: threading.Event, *more: Any
    ) -> Iterator[tuple[str, Any]]:
        *look, kind, seed, length, labels, frames, table, columns, weight = more
        easel = self._easel(name)
        *weights, appearance, look_seed, tone = look
        chosen = versions_tab.look(easel, weights, appearance, look_seed, tone)
        files = (labels, frames)
        yield from film_tab.made(
            easel, chosen, kind, seed, length, files, table, columns, weight, cancelled
        )

    def _open_runs(self, *chosen: str) -> list[Any]:
        names = gallery.names()
        kept = [name if name in names else None for name in chosen]
        values = kept if any(kept) else runs_tab.chosen(names)
        offers = [
            gr.update(choices=[runs_tab.NONE, *names], value=value or runs_tab.NONE)
            for value in values
        ]
        return [runs_tab.hint(names), *offers]

    def _show_run(self, name: str, value: Value, *look: Any) -> str:
        if name in (None, runs_tab.NONE):
            return ""
        if not gallery.Left.by(name).paints:
            return runs_tab.shown(name, None, "A segmenter: it paints no scenes.")
        picture, why = None, ""
        try:
            easel = self._easel(name)
            canvas = scene_tab.edited(easel, value)
            recipe = self._recipe(easel, value, canvas, easel.usual)
            picture = parts.with_recipe(easel.paint(canvas, easel.usual).picture, recipe)
        except (UserError, Failure) as error:
            why = str(error)
        return runs_tab.shown(name, picture, why)

    def _restore(self, file: Value, name: str) -> list[Any]:
        recipe = opening.read(file)
        easel = self._easel(recipe.model)
        offers = self._fit(recipe.model)
        scene = opening.scene(easel, recipe)
        if scene is None:
            scene = gr.skip() if recipe.model == name else self._first(recipe.model)
            gr.Info("Its scene is not carried along; the present one is painted by its recipe.")
        look = recipe.look
        if look.appearance not in easel.appearances:
            raise UserError(f"appearance {look.appearance!r}: this model does not have it")
        return [
            gr.update(choices=self._studio.names, value=recipe.model),
            scene,
            *[
                gr.update(value=weight, interactive=easel.model.redraws)
                for weight in versions_tab.shown_weights(look)
            ],
            gr.update(choices=versions_tab.choices(easel), value=look.appearance),
            look.seed,
            look.tone,
            *offers[:4],
        ]
