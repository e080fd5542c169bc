"""Standard streams that whoever started the program has closed."""

from __future__ import annotations

import os
import sys

_STDIN, _STDOUT, _STDERR = range(3)


def open_closed() -> None:
    """Open those of the three descriptors that whoever started us has closed.

    Else the next file that is opened would get their number, and what is meant for stderr would be
    written into it. Nothing is read from such a stdin, notes are dropped, and results are an error.
    """
    for number, mode in ((_STDIN, os.O_RDONLY), (_STDOUT, os.O_RDONLY), (_STDERR, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    for name, number, way in (
        ("stdin", _STDIN, "r"), ("stdout", _STDOUT, "w"), ("stderr", _STDERR, "w"),
    ):  # fmt: skip
        if getattr(sys, name) is None:
            stream = open(  # noqa: SIM115  # open until the process ends
                number, way, encoding="utf-8", errors="backslashreplace", closefd=False
            )
            setattr(sys, name, stream)
