"""What goes wrong, as a sentence on the page."""

import functools
import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr

from sflowgan_tf.utils import disk
from sflowgan_tf.utils.errors import Failure, UserError

_BUG = "Something went wrong that should not; the terminal where the page was started says more."


def told(function: Callable[..., Any]) -> Callable[..., Any]:
    """A handler whose errors are sentences on the page, never a stack trace."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def steps(*arguments: Any) -> Iterator[Any]:
            with _telling():
                yield from function(*arguments)

        return steps

    @functools.wraps(function)
    def done(*arguments: Any) -> Any:
        with _telling():
            return function(*arguments)

    return done


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except (UserError, Failure) as error:
        raise _shown(str(error)) from None
    except FileNotFoundError:
        raise _shown("A file that was given is no longer here; give it again") from None
    except OSError as error:
        raise _shown(disk.description(error)) from None
    except gr.Error:
        raise
    except Exception:
        traceback.print_exc()
        raise _shown(_BUG) from None


def _shown(sentence: str) -> gr.Error:
    return gr.Error(sentence, title="That did not work", duration=15, print_exception=False)
