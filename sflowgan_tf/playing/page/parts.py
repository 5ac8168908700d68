"""The parts of the page that Gradio lacks: canvas, before and after, versions, saved pictures."""

import base64
import html
from importlib import resources
from typing import Any

import gradio as gr
import numpy as np

from sflowgan_tf.data.media.pictures import encode_png, png_with_texts
from sflowgan_tf.playing.canvas import Canvas
from sflowgan_tf.playing.easel import Easel, Painted
from sflowgan_tf.playing.recipe import Recipe
from sflowgan_tf.playing.scenes import Place

_ASSETS = resources.files("sflowgan_tf.playing.page") / "assets"
Value = dict[str, Any]  # what passes between a part and the server, JSON


def part(name: str, label: str, **settings: Any) -> gr.HTML:
    """A part of the page: its HTML, style and script lie in assets/.

    Args:
        name: of the files.
        label: for screen readers.
        **settings: of `gr.HTML`.
    """
    kinds = ("html", "css", "js")
    page, style, script = ((_ASSETS / f"{name}.{kind}").read_text() for kind in kinds)
    return gr.HTML(
        html_template=page,
        css_template=style,
        js_on_load=script,
        apply_default_css=False,
        label=label,
        **settings,
    )


def on_canvas(easel: Easel, place: Place, canvas: Canvas) -> Value:
    """A scene for the part `editor`, with all that it needs of the model."""
    classes, brushes = easel.model.classes, easel.brush_colors.tolist()
    width, height = canvas.size
    return {
        "id": np.random.default_rng().integers(1 << 40).item(),
        "source": str(place),
        "width": width,
        "height": height,
        "data": canvas.packed(),
        "draws_edges": easel.model.edge_map != "none",
        "classes": [
            {"name": name, "color": list(color), "brush": brush}
            for name, color, brush in zip(classes.names, classes.colors, brushes, strict=True)
        ],
        "stamps": [
            {
                "name": one.name,
                "width": one.labels.shape[1],
                "height": one.labels.shape[0],
                "data": one.packed(),
            }
            for one in easel.cutouts
        ],
    }


def compared(canvas: Canvas, painted: Painted, recipe: Recipe, note: str) -> Value:
    """A painted scene for the part `view`."""
    width, height = canvas.size
    return {
        "before": _uri(encode_png(canvas.frame)),
        "after": with_recipe(painted.picture, recipe),
        "edges": _uri(encode_png(np.rint(255 * painted.edges).astype(np.uint8))),
        "titles": ["the simulator's frame", "painted"],
        "ratio": width / height,
        "name": file_name(recipe),
        "note": note,
    }


def with_recipe(picture: np.ndarray, recipe: Recipe) -> str:
    """A picture, (height, width, 3) uint8 RGB, as a data URI of a PNG that carries its recipe."""
    return _uri(png_with_texts(picture, recipe.texts()))


def file_name(recipe: Recipe) -> str:
    """What a picture is called where it is saved."""
    words = [recipe.model, *recipe.scene.split(":"), recipe.look.appearance.replace(":", "-")]
    return "-".join(word for word in words if word.isascii() and word.isprintable()) + ".png"


def edge_map(edges: np.ndarray) -> str:
    """HTML of an edge map, (height, width) float32 in [0, 1]."""
    source = _uri(encode_png(np.rint(255 * edges).astype(np.uint8)))
    return (
        f'<figure class="edge-map"><img src="{source}" alt="Edge map of these weights">'
        "<figcaption>The edge map that these weights give</figcaption></figure>"
    )


def note(text: str) -> str:
    """HTML of a line of plain text."""
    return f'<p class="note-line" role="status">{html.escape(text)}</p>'


def _uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def style() -> str:
    """CSS of the page as a whole."""
    return (_ASSETS / "page.css").read_text()
