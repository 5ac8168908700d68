"""Saved pictures that are opened again for their recipes."""

import base64
import binascii

from sflowgan_tf.data.media.pictures import texts_of
from sflowgan_tf.playing import scenes
from sflowgan_tf.playing.canvas import MOST_PIXELS, Canvas
from sflowgan_tf.playing.easel import Easel
from sflowgan_tf.playing.page.parts import Value, on_canvas
from sflowgan_tf.playing.recipe import Look, Recipe
from sflowgan_tf.utils.errors import UserError

MOST_BYTES = 8 << 20  # as assets/opener.js has it


def recipe(easel: Easel, place: scenes.Place, canvas: Canvas, look: Look) -> Recipe:
    """What makes a picture; a scene that is edited is carried along, a given one never."""
    model = easel.model
    plain = Recipe(
        model=model.origin["run"], step=model.origin["step"], look=look, scene=str(place)
    )
    if isinstance(place, scenes.Given):
        return plain
    if isinstance(place, scenes.Street | scenes.Stored):
        untouched = scenes.find(place, model.size, model.classes)
        if canvas.same(untouched):
            return plain
    return Recipe(**(vars(plain) | {"size": canvas.size, "painted": canvas.packed()}))


def read(file: Value) -> Recipe:
    """The recipe of a picture that the part `opener` read.

    Raises:
        UserError: it is too large, no PNG, or carries none.
    """
    name = str(file.get("name", "picture"))[:80]
    text = str(file.get("data", ""))
    if not text or len(text) > MOST_BYTES * 4 / 3 + 4:
        raise UserError(
            f"{name}: empty, or larger than {MOST_BYTES >> 20} MB; open a saved picture"
        )
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UserError(f"{name}: can't be read; open it again") from None
    return Recipe.of(name, texts_of(name, content, MOST_PIXELS))


def scene(easel: Easel, recipe: Recipe) -> Value | None:
    """The scene of a recipe for the part `editor`; None where it is not carried along.

    Raises:
        UserError: it can't be found, or is none for this model.
    """
    if not recipe.scene:
        return None
    place, model = scenes.parsed(recipe.scene), easel.model
    if recipe.size is not None:
        canvas = Canvas.unpacked(recipe.painted, recipe.size, model.classes.num_classes)
    elif isinstance(place, scenes.Given | scenes.Empty):
        return None
    else:
        canvas = scenes.find(place, model.size, model.classes)
    return on_canvas(easel, place, canvas)
