"""A page on which a model is played with: scenes to paint on, versions, films, runs."""

import argparse
import os
import sys
from pathlib import Path

from sflowgan_tf.utils import cli

_PORT = 7860


def flags() -> argparse.ArgumentParser:
    """What `play` takes."""
    parser = cli.parser(
        "play",
        "Opens a page in which scenes are painted on and a model's picture of them follows. It "
        "needs no network: pip install -r requirements-play.txt, or make play.",
        "--run first",
    )
    add = parser.add_argument
    add("--run", metavar="NAME", default="minicity", help="the model at first; minicity's")
    add("--host", default="127.0.0.1", help="address to listen at; 127.0.0.1, this machine alone")
    add("--port", type=cli.natural, default=_PORT, metavar="N", help=f"{_PORT}; 0 for a free one")
    add("--auth", type=Path, metavar="FILE", help="lines of NAME:PASSWORD, of those who may enter")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Loads the model, says where the page is, and serves it until interrupted."""
    from sflowgan_tf.utils.errors import UserError
    from sflowgan_tf.utils.quiet import import_tensorflow

    visitors = None if parsed.auth is None else _visitors(parsed.auth)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        import gradio  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserError(
            f"{error}; the page needs Gradio: pip install -r requirements-play.txt"
        ) from None
    print(f"Loading {parsed.run} ...", flush=True)
    import_tensorflow()
    from sflowgan_tf.playing.easel import Studio
    from sflowgan_tf.playing.page import server
    from sflowgan_tf.playing.page.build import Page

    with server.bound(parsed.host, parsed.port) as listening, server.own_folder():
        page = Page(Studio(parsed.run))
        print(f"Open {server.address(listening)} in a browser; Ctrl+C ends it.", flush=True)
        if parsed.host not in server.HERE and visitors is None:
            print("Everyone who can reach this machine can use it; --auth asks for a password.")
        server.serve(page.blocks, listening, visitors)


def _visitors(file: Path) -> list[tuple[str, str]]:
    from sflowgan_tf.utils.errors import UserError

    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UserError(f"--auth {file}: can't be read; expected lines of NAME:PASSWORD") from None
    pairs = [line.partition(":") for line in lines if line.strip()]
    if not pairs or not all(name and password for name, _, password in pairs):
        raise UserError(f"--auth {file}: expected lines of NAME:PASSWORD, both given")
    return [(name, password) for name, _, password in pairs]


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    return cli.run(flags(), work, arguments)


if __name__ == "__main__":
    sys.exit(main())
