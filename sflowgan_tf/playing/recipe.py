"""How a picture was made, as its PNG carries it: the only place that writes and reads that."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sflowgan_tf.ops.settings import SIDE_OUTPUTS
from sflowgan_tf.translation.appearance import Tone
from sflowgan_tf.utils.errors import UserError

GIVEN, DRAWN, LIKE, CLUSTER = "given", "random", "like", "cluster"  # kinds of appearance
EQUAL = (1 / SIDE_OUTPUTS,) * SIDE_OUTPUTS
_MOST = 1 << 22  # characters of a scene that is carried along
_NONE = "was not saved by this program, or its recipe was removed on the way"


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """How a scene is painted.

    Attributes:
        weights: six numbers >= 0, of the DNED's side outputs; None without the DNED.
        appearance: the colours: GIVEN, DRAWN, LIKE, or CLUSTER, a colon and its number.
        seed: of the dice and of drawn colours.
        tone: for LIKE, of the picture.
    """

    weights: tuple[float, ...] | None = EQUAL
    appearance: str = GIVEN
    seed: int = 0
    tone: Tone | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """What makes a picture.

    Attributes:
        model: its name, such as "minicity".
        step: of its training.
        look: how it painted.
        scene: a `scenes.Place` as text; empty where a recipe names none.
        size: (width, height) of the scene; None where it is not carried along.
        painted: the scene, `Canvas.packed`, where it was edited; else empty.
    """

    model: str
    step: str
    look: Look
    scene: str = ""
    size: tuple[int, int] | None = None
    painted: str = ""

    def texts(self) -> dict[str, str]:
        """For the metadata of a PNG, by the keys that `translate` writes, and a few more."""
        look = self.look
        texts = {"run": self.model, "step": self.step, "seed": str(look.seed)}
        texts["edges"] = "laplacian" if look.weights is None else "dned"
        if look.weights is not None:
            texts["ensemble_weights"] = _numbers(look.weights)
        texts["appearance"] = look.appearance
        if look.appearance == DRAWN:
            texts["appearance_seed"] = str(look.seed)
        if look.tone is not None:
            texts["appearance_tone"] = _numbers([*look.tone.mean, *look.tone.spread])
        texts["scene"] = self.scene
        if self.size is not None:
            texts |= {"scene_size": "{}x{}".format(*self.size), "scene_painted": self.painted}
        return texts

    @classmethod
    def of(cls, name: str, texts: dict[str, str]) -> Recipe:
        """What `texts` gave, or `translate`.

        Args:
            name: of the file, for messages.
            texts: of its metadata.

        Raises:
            UserError: they are no recipe, or a damaged one.
        """
        if "run" not in texts:
            raise UserError(f"{name}: carries no recipe: it {_NONE}")
        if texts.get("appearance", "").startswith(f"{LIKE}:"):
            raise UserError(f"{name}: has the colours of a picture that its recipe does not hold")
        try:
            return cls._of(texts)
        except (KeyError, ValueError, ArithmeticError):
            raise UserError(f"{name}: its recipe is damaged, or of another version") from None

    @classmethod
    def _of(cls, texts: dict[str, str]) -> Recipe:
        weights = None
        if "ensemble_weights" in texts:
            weights = _parsed(texts["ensemble_weights"], SIDE_OUTPUTS)
            if min(weights) < 0 or not sum(weights):
                raise ValueError("weights")
        appearance, tone = texts.get("appearance", GIVEN), None
        kind = appearance.partition(":")[0]
        if kind == LIKE:
            appearance, numbers = LIKE, _parsed(texts["appearance_tone"], 6)
            tone = Tone(mean=np.array(numbers[:3]), spread=np.abs(numbers[3:]))
        size, painted = None, texts.get("scene_painted", "")
        if painted:
            width, height = texts["scene_size"].split("x")
            size = int(width), int(height)
        if len(painted) > _MOST or kind not in (GIVEN, DRAWN, LIKE, CLUSTER):
            raise ValueError("scene or appearance")
        return cls(
            model=texts["run"],
            step=texts.get("step", ""),
            look=Look(
                weights=weights,
                appearance=appearance,
                seed=int(texts.get("appearance_seed", texts.get("seed", "0"))),
                tone=tone,
            ),
            scene=texts.get("scene", ""),
            size=size,
            painted=painted,
        )


def _numbers(values: Iterable[float]) -> str:
    return " ".join(f"{float(value):.9g}" for value in values)


def _parsed(text: str, count: int) -> tuple[float, ...]:
    numbers = tuple(float(word) for word in text.split())
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise ValueError(text)
    return numbers
