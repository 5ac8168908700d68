"""YAML files that users write, read with errors that say where."""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from sflowgan_tf.utils.errors import UserError


def read_yaml(file: Path) -> Any:
    """What a YAML file holds, as OmegaConf's dict or list.

    Raises:
        UserError: it is missing, no text, no YAML (with the line), or holds neither a dict nor a
            list.
    """
    try:
        return OmegaConf.load(file)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        opened = error.context_mark
        since = f", {error.context} in line {opened.line + 1}" if error.context and opened else ""
        raise UserError(f"{file}: {place}no YAML: {error.problem}{since}") from None
    except (YAMLError, UnicodeDecodeError):
        raise UserError(f"{file}: is no text in UTF-8; expected YAML") from None
    except FileNotFoundError:
        raise UserError(f"{file}: no such file") from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise UserError(f"{file}: expected keys with values, or a list") from None


def first_line(error: Exception) -> str:
    """An error of OmegaConf in one line, the key in front."""
    key = getattr(error, "full_key", None)
    first = str(error).partition("\n")[0]
    return f"{key}: {first}" if key and isinstance(error, OmegaConfBaseException) else first
