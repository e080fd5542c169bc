"""A module whose work on a file goes wrong in the way that the file names."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from digits._io.child import main
from digits.errors import ModelError


def work(source: Path, target: Path) -> None:
    print("noise on stdout must not disturb the report")  # noqa: T201
    match source.read_text():
        case "good":
            target.write_text("done")
        case "refused":
            raise ModelError("it is refused", "Try another")
        case "exception":
            raise RuntimeError("a bug")
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main(work))
