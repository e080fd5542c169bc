from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from digits.errors import DataError, DigitsError
from digits.parallel import map_chunks, processors


def _slow_squares(numbers: Sequence[int]) -> list[tuple[int, int]]:
    time.sleep(0.02 * len(numbers))
    return [(number * number, os.getpid()) for number in numbers]


def _fails_at_40(numbers: Sequence[int]) -> int:
    time.sleep(0.02 * len(numbers))
    if 40 in numbers:
        raise DataError("40 came", "Leave it out")
    return len(numbers)


def _dies_at_40(numbers: Sequence[int]) -> int:
    time.sleep(0.02 * len(numbers))
    if 40 in numbers:
        os._exit(3)
    return len(numbers)


def test_results_come_in_order_from_several_processes() -> None:
    results = [pair for chunk in map_chunks(_slow_squares, range(60), workers=2) for pair in chunk]
    assert [square for square, _ in results] == [n * n for n in range(60)]
    assert len({process for _, process in results}) > 1


@pytest.mark.parametrize(("count", "workers"), [(0, 2), (3, 2), (25, 1)])
def test_little_work_stays_in_this_process(count: int, workers: int) -> None:
    chunks = map_chunks(_slow_squares, range(count), workers=workers)
    results = [pair for chunk in chunks for pair in chunk]
    assert [square for square, _ in results] == [n * n for n in range(count)]
    assert {process for _, process in results} <= {os.getpid()}


def test_items_are_read_only_as_needed() -> None:
    read = 0

    def items() -> Iterator[int]:
        nonlocal read
        while True:
            yield read
            read += 1

    chunks = map_chunks(_slow_squares, items(), workers=2)
    done = 0
    for _ in range(30):
        done += len(next(chunks))
    chunks.close()
    assert read - done < 100


def test_an_error_of_the_work_is_raised_here() -> None:
    with pytest.raises(DataError, match="40 came"):
        list(map_chunks(_fails_at_40, range(10_000), workers=2))


def test_a_worker_that_dies_is_one_clear_error() -> None:
    with pytest.raises(DigitsError, match="worker process ended"):
        list(map_chunks(_dies_at_40, range(10_000), workers=2))


def test_processors() -> None:
    assert 1 <= processors() <= (os.cpu_count() or 1)


def _script(folder: Path) -> Path:
    """Lasts long and is not guarded by `if __name__ == "__main__"`."""
    folder.joinpath("naps.py").write_text(
        "import time\ndef nap(items):\n    time.sleep(0.02 * len(items))\n"
    )
    script = folder / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            from naps import nap
            from digits.parallel import map_chunks

            print("begin", flush=True)
            for count, _ in enumerate(map_chunks(nap, range(int(sys.argv[1])), workers=2)):
                if count == 25:
                    print("working", flush=True)
            print("end", flush=True)
            """
        )
    )
    return script


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, _script(tmp_path), "100"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["begin", "working", "end"]
    assert not done.stderr


@pytest.mark.skipif(os.name == "nt", reason="needs process groups")
@pytest.mark.parametrize("wait", [0.0, 0.4], ids=["as workers start", "as they work"])
def test_ctrl_c_ends_all_at_once_and_quietly(tmp_path: Path, wait: float) -> None:
    with subprocess.Popen(
        [sys.executable, _script(tmp_path), "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "working\n":
            pass
        time.sleep(wait)
        begin = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
        # Returns when nobody holds the pipe any more: all workers have gone too.
        _, errors = process.communicate(timeout=30)
        seconds = time.monotonic() - begin
    assert process.returncode == -signal.SIGINT
    assert errors.count("Traceback") == 1  # the script's own
    assert "Process" not in errors
    assert seconds < 5
