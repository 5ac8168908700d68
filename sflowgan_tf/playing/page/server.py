"""Serves the page, to this machine unless it is said otherwise."""

from __future__ import annotations

import errno
import os
import signal
import socket
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio import themes
from starlette.middleware.trustedhost import TrustedHostMiddleware

from sflowgan_tf.playing.page.parts import style
from sflowgan_tf.utils.errors import UserError

_LAST_PORT = 65535
_LARGEST = "200mb"  # of an upload
HERE = ("127.0.0.1", "localhost", "::1")
# The browser itself sees to it that nothing is asked of, or told to, another machine.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' data: blob:; worker-src 'self' blob:; "
    "object-src 'none'; form-action 'self'; frame-ancestors 'self'"
)


class _Policy:
    """Adds the policy to every answer."""

    def __init__(self, app: Any):
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        async def with_policy(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                policy = (b"content-security-policy", _POLICY.encode())
                message["headers"] = [*message.get("headers", []), policy]
            await send(message)

        await self._app(scope, receive, with_policy)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        UserError: the address is none of this machine, or another program has the port.
    """
    if port > _LAST_PORT:
        raise UserError(f"--port {port}: expected at most {_LAST_PORT}")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (UnicodeError, OSError) as error:
        number = (error.errno if isinstance(error, OSError) else None) or 0
        flag = "--port" if number > 0 and number != errno.EADDRNOTAVAIL else "--host"
        reason = os.strerror(number) if number > 0 else "no address"
    raise UserError(
        f"--host {host} --port {port}: can't listen there ({reason}); choose another {flag}"
    )


def address(listening: socket.socket) -> str:
    """Where a browser finds the page."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(blocks: gr.Blocks, listening: socket.socket, auth: list[tuple[str, str]] | None) -> None:
    """Serves until it is interrupted.

    Args:
        blocks: the page.
        listening: of `bound`.
        auth: see `application`.
    """
    host, port = listening.getsockname()[:2]
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # so that what it wrote goes then, too
    app = application(blocks, host, port, auth)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=[listening])


def application(
    blocks: gr.Blocks, host: str, port: int, auth: list[tuple[str, str]] | None
) -> FastAPI:
    """What answers.

    Args:
        blocks: the page.
        host: address that it listens at.
        port: that it listens at.
        auth: names and passwords of those who may enter; None for everyone who comes so far.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(_Policy)
    if host in HERE:  # else a page elsewhere could call this one by another name of the machine
        bracketed = "["  # all that Starlette sees of [::1]:7860
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*HERE, bracketed])
    blocks.has_launched = True  # from then on Gradio takes no file that a visitor did not upload
    return gr.mount_gradio_app(
        app,
        blocks,
        path="",
        server_name=host,
        server_port=port,
        auth=auth,
        footer_links=[],
        run_history=False,
        show_error=True,
        max_file_size=_LARGEST,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=_theme(),
        css=style(),
    )


@contextmanager
def own_folder() -> Iterator[None]:
    """What Gradio writes lies in a folder of its own, which goes with the block."""
    with tempfile.TemporaryDirectory(prefix="sflowgan-play-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        yield


def _theme() -> themes.Base:
    """Gradio's own, in fonts that the reader has."""
    system = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
    mono = ["ui-monospace", "Consolas", "monospace"]
    theme = themes.Default(primary_hue="blue", neutral_hue="slate", font=system, font_mono=mono)
    return theme.set(  # enough contrast for small text
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
    )
