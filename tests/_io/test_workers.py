"""Results in order from several processes, which end with their caller."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import chunk_functions
from digits._io import workers
from digits._io.workers import map_chunks, processors, worker_threads
from digits.errors import DataError, DigitsError


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes start at once, not after some work in this process."""
    monkeypatch.setattr(workers, "MIN_WORK_SECONDS", 0)


@pytest.mark.usefixtures("at_once")
def test_results_come_in_order_from_several_processes() -> None:
    chunks = map_chunks(chunk_functions.squares, range(60), workers=2)
    results = [pair for chunk in chunks for pair in chunk]
    assert [square for square, _ in results] == [n * n for n in range(60)]
    processes = {process for _, process in results}
    assert len(processes) == 2
    assert os.getpid() not in processes


@pytest.mark.parametrize(("count", "workers"), [(0, 2), (3, 2), (25, 1)])
def test_little_work_stays_in_this_process(count: int, workers: int) -> None:
    chunks = map_chunks(chunk_functions.squares, range(count), workers=workers)
    results = [pair for chunk in chunks for pair in chunk]
    assert results == [(n * n, os.getpid()) for n in range(count)]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.usefixtures("at_once")
def test_a_shared_object(workers: int) -> None:
    chunks = map_chunks(chunk_functions.sums, range(9), shared=100, workers=workers)
    assert [n for chunk in chunks for n in chunk] == list(range(100, 109))


@pytest.mark.usefixtures("at_once")
def test_a_worker_uses_one_thread() -> None:
    assert set(map_chunks(chunk_functions.threads, range(4), workers=2)) == {1}
    assert worker_threads() == processors()
    assert 1 <= processors() <= (os.cpu_count() or 1)


@pytest.mark.usefixtures("at_once")
def test_items_are_read_only_as_needed() -> None:
    read = 0

    def items() -> Iterator[int]:
        nonlocal read
        while True:
            yield read
            read += 1

    chunks = map_chunks(chunk_functions.squares, items(), workers=2)
    done = sum(len(next(chunks)) for _ in range(30))
    chunks.close()
    assert read - done < 10


@pytest.mark.usefixtures("at_once")
def test_workers_end_with_the_generator() -> None:
    chunks = map_chunks(chunk_functions.squares, range(1000), workers=2)
    processes = {next(chunks)[0][1] for _ in range(4)}
    chunks.close()
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


@pytest.mark.usefixtures("at_once")
def test_an_error_of_the_function_is_raised_here() -> None:
    with pytest.raises(DataError) as caught:
        list(map_chunks(chunk_functions.fails_at_40, range(1000), workers=2))
    error = caught.value
    assert (error.problem, error.remedy, error.path) == ("40 came", "Leave it out", "forty.txt")
    with pytest.raises(ZeroDivisionError) as other:
        list(map_chunks(chunk_functions.divides, range(1000), workers=2))
    assert "in divides" in other.value.__notes__[0]  # where in the worker


@pytest.mark.usefixtures("at_once")
def test_what_a_worker_cannot_do_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DigitsError, match="worker process ended"):
        list(map_chunks(chunk_functions.dies_at_40, range(1000), workers=2))
    with pytest.raises(TypeError, match="cannot send its reply"):
        list(map_chunks(chunk_functions.unsendable, range(1000), workers=2))
    source = tmp_path / "gone_when_imported_again.py"
    source.write_text("def function(items):\n    return items\n")
    monkeypatch.syspath_prepend(tmp_path)
    import gone_when_imported_again  # type: ignore[import-not-found]

    source.unlink()
    with pytest.raises(ModuleNotFoundError, match="gone_when_imported_again"):
        list(map_chunks(gone_when_imported_again.function, range(1000), workers=2))


@pytest.mark.usefixtures("at_once")
def test_log_records_reach_the_parent_and_output_is_harmless(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "digits"):
        numbers = list(map_chunks(chunk_functions.is_noisy, range(4), workers=2))
    assert numbers == [0, 1, 2, 3]
    assert [record.getMessage() for record in caplog.records] == [f"number {n}" for n in range(4)]


def _script(folder: Path) -> Path:
    """Lasts long and is not guarded by `if __name__ == "__main__"`."""
    folder.joinpath("same.py").write_text("def same(items):\n    return items\n")
    script = folder / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import itertools, sys
            from same import same
            from digits._io import workers

            print("begin", flush=True)
            workers.MIN_WORK_SECONDS = 0
            items = range(int(sys.argv[1])) if sys.argv[1:] else itertools.count()
            for count, _ in enumerate(workers.map_chunks(same, items, workers=2)):
                if count == 9:
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


def _interrupt(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does on Ctrl-C


@pytest.mark.skipif(os.name == "nt", reason="needs process groups")
@pytest.mark.parametrize(
    ("end", "status", "tracebacks"),
    [(_interrupt, -signal.SIGINT, 1), (subprocess.Popen.kill, -signal.SIGKILL, 0)],
    ids=["Ctrl-C", "kill -9"],
)
def test_workers_end_when_their_parent_does(
    tmp_path: Path, end: Callable[[subprocess.Popen[str]], None], status: int, tracebacks: int
) -> None:
    with subprocess.Popen(
        [sys.executable, _script(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "working\n":
            assert process.poll() is None
        end(process)
        # Returns when nobody holds the pipe any more: all workers have ended too, in silence.
        _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert errors.count("Traceback") == tracebacks  # the script's own
