"""A run as a folder small enough to travel with a program, which is taken as a run is."""

import json
import os
import shutil
from pathlib import Path

import numpy as np

from sflowgan_tf import config as settings
from sflowgan_tf.deployment.exported import Exported
from sflowgan_tf.training import assembly, released
from sflowgan_tf.training.runs import Run
from sflowgan_tf.translation.card import NAME, Card
from sflowgan_tf.utils.disk import writing
from sflowgan_tf.utils.errors import UserError
from sflowgan_tf.utils.files import unfinished_folder


def write(exported: Exported, output: Path, card: Card) -> tuple[Run, float]:
    """Writes configuration, manifest, palette, weights in half precision and model card.

    Args:
        exported: the run.
        output: the folder of the model's name appears there.
        card: the model card.

    Returns:
        The new folder; the mean difference of its pictures to the run's, grey levels.

    Raises:
        UserError: there is such a folder already.
        Failure: the disk refuses; nothing is left then.
    """
    place = output / card.name
    if place.exists():
        raise UserError(f"{place}: is there already; choose another --name or --output")
    run, translator = exported.run, exported.translator
    config, classes = settings.read(run.config), exported.manifest.classes
    discriminator = assembly.discriminator(config, classes.num_classes)
    step = assembly.restore(run, discriminator=discriminator)
    networks = {
        "generator_ema": translator.generator,
        "discriminator": discriminator,
        "dned": translator.dned,
    }
    with writing(place), unfinished_folder(output, card.name) as folder:
        new = Run(folder)
        for file in (run.config, run.manifest, run.palette):
            if file.is_file():
                shutil.copy(file, folder)
        released.write(new.weights, step, networks)
        (folder / NAME).write_text(json.dumps(card.to_dict(), indent=1) + "\n")
        difference = _difference(exported, new)
        os.rename(folder, place)
    return Run(place), difference


def _difference(exported: Exported, run: Run) -> float:
    translator, _, _ = assembly.restored_translator(run)
    differences = []
    for frame in exported.frames:
        pictures = [
            painter.picture(frame, redraw=painter.redraws).astype(np.float64)
            for painter in (exported.translator, translator)
        ]
        differences.append(np.abs(pictures[0] - pictures[1]).mean())
    return float(np.mean(differences))
