"""`digits app`."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import click

from .common import quiet_option


@click.command("app", short_help="Draw or drop a picture in the browser.")
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    metavar="MODEL",
    help="Offer this model (a file, or dense, cnn or rnn); may be given several times.  "
    "[default: your own and the shipped ones]",
)
@click.option(
    "--collect",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("data/mine.npz"),
    show_default=True,
    metavar="FILE.npz",
    help="Keep the digits that you label here.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Serve at this address of the machine. When others can reach it, a token is needed, which "
    "is part of the printed address.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Serve at this port; 0 for any.  [default: 8028, or any where that is taken]",
)
@click.option("--no-browser", is_flag=True, help="Do not open the browser.")
@quiet_option
def command(
    models: tuple[str, ...], collect: Path, host: str, port: int | None, no_browser: bool
) -> None:
    """Draw digits, drop pictures, see what each model reads, and keep what you correct.

    Prints the page's address, opens it in the browser and serves it until Ctrl-C, on this machine
    alone unless --host says otherwise. /docs there tells of the HTTP interface.
    """
    from ..data.collection import Collection
    from ..web.server import is_loopback, serve
    from ..web.shelf import Shelf

    if not host.strip():
        raise click.UsageError("--host needs an address.")
    if not is_loopback(host):
        logging.getLogger("digits").warning(
            "others on the network can reach %s; give the address below, with its token, to nobody "
            "whom you do not trust, for it is sent unencrypted", host,
        )  # fmt: skip

    def ready(address: str) -> None:
        click.echo(address)
        sys.stdout.flush()
        if not no_browser:
            _open(address)

    serve(Shelf(models), Collection(collect), host, port, ready)


def _open(address: str) -> None:
    """Open the browser, where there is one with windows: one in the terminal would take it over."""
    import threading
    import webbrowser

    if sys.platform in ("win32", "darwin") or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
