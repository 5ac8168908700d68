"""From a run to something that translates."""

from sflowgan_tf import build
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.runs import Run
from sflowgan_tf.serving import Translator


def load(run: Run) -> tuple[Translator, Manifest, int]:
    """A run's translator, the manifest of its records, and the step of its latest checkpoint.

    Raises:
        UserError: the run has no checkpoint yet.
    """
    return build.restored_translator(run)
