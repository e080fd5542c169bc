"""`digits app`."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import click

from .options import quiet_option


@click.command("app", short_help="Draw or drop a picture in the browser.")
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    metavar="MODEL",
    help="Offer this model (a file, or dense, cnn or rnn). Repeatable.  "
    "[default: your own and the shipped models]",
)
@click.option(
    "--collect",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("data/mine.npz"),
    show_default=True,
    metavar="FILE.npz",
    help="Save the digits that you label to this data set.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address of this machine to serve at. If other machines can reach it, a token is "
    "required; it is part of the printed URL.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Port to serve at; 0 for any free one.  [default: 8028, or any if that is taken]",
)
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@quiet_option
def command(
    models: tuple[str, ...], collect: Path, host: str, port: int | None, no_browser: bool
) -> None:
    """Draw digits and drop pictures on a web page, and compare what the models make of them.

    Prints the URL of the page, opens it in a browser, and serves it until Ctrl-C. Only this
    machine can reach it unless --host says otherwise. Digits that you label on the page become a
    data set for `digits train`. The page's HTTP API is described at /docs.

    \b
    Examples:
      digits app
      digits app --model models/cnn.h5 --model rnn --port 8080
    """
    from ..ingest.collection import Collection
    from ..web.model_registry import ModelRegistry
    from ..web.server import WebServer, is_loopback

    if not host.strip():
        raise click.UsageError("--host needs an address.")
    if not is_loopback(host):
        logging.getLogger("digits").warning(
            "other machines on the network can reach %s. Give the URL below, which contains the "
            "token, only to people whom you trust; it is sent unencrypted", host,
        )  # fmt: skip

    def announce(address: str) -> None:
        click.echo(address)
        sys.stdout.flush()
        if not no_browser:
            _open(address)

    registry, collection = ModelRegistry(models), Collection(collect)
    with WebServer(registry, collection, host, port, on_startup=announce) as server:
        server.run()


def _open(address: str) -> None:
    """Open a graphical browser, if there is one: one in the terminal would block it."""
    import threading
    import webbrowser

    if sys.platform in ("win32", "darwin") or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
