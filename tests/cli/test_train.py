"""`digits train`."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from commands import Run
from digits import Splits
from digits.models.file import read
from digits.models.trust import trust


def test_it_reports_the_score_and_what_it_wrote(run: Run, tmp_path: Path) -> None:
    done = run("train", "--arch", "dense", "--epochs", 2)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.match(r"sample test: loss \d\.\d+, accuracy \d\d\.\d\d%", lines[0])
    assert lines[1].startswith("saved models/dense.h5")
    assert lines[2] == "next: digits predict PICTURE --model models/dense.h5"
    assert done.stderr.count("\n") == 1
    assert "Warning: MNIST was not found" in done.stderr
    assert {p.name for p in (tmp_path / "models").iterdir()} == {"dense.h5", "dense-run"}
    files = {p.name for p in (tmp_path / "models" / "dense-run").glob("[!.]*")}  # no lock
    assert files == {"history.csv", "settings.json", "curves.png", "checkpoint.h5"}
    settings = json.loads((tmp_path / "models" / "dense-run" / "settings.json").read_text())
    assert settings["settings"]["epochs"] == 2

    quiet = run(
        "train",
        "--from",
        "dense",
        "--epochs",
        1,
        "--limit",
        300,
        "-q",
        "-o",
        "models/dense.h5",
        "--save-anyway",
    )
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert (tmp_path / "models" / "dense.h5.bak").is_file()
    started_from = read(tmp_path / "models" / "dense.h5").metadata.started_from
    assert started_from is not None
    assert started_from.path == "models/dense.h5"  # your own comes before the shipped one


def test_fine_tuning_that_does_not_pay_keeps_the_model(
    run: Run, tmp_path: Path, models: dict[str, Path], sample: Splits
) -> None:
    images, labels = sample["train"].images[3000:3400], sample["train"].labels[3000:3400]
    upside_down = images[:, ::-1, ::-1]  # a 6 as a 9: that cannot be learned beside MNIST
    np.savez(tmp_path / "own.npz", images=upside_down, labels=labels)
    (tmp_path / "models").mkdir()
    model = Path(shutil.copy(models["cnn"], tmp_path / "models" / "cnn.h5"))
    trust(model)
    before = model.read_bytes()
    done = run("train", "--from", "cnn", "--data", "own.npz", "--seed", 1)
    assert done.returncode == 0, done.stderr
    header, own, mnist, kept = done.stdout.splitlines()
    assert header.split() == ["before", "after"]
    assert re.match(r"own\.npz +\d+ of 80 wrong \(\d+\.\d\d%\), loss \d\.\d{4}  ", own)
    assert mnist.startswith("sample test")
    assert kept.startswith("no better, so it is not saved: models/cnn.h5 is as it was.")
    assert model.read_bytes() == before
    done = run("train", "--resume", "--save-anyway")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == [header, own, mnist]
    assert "saved models/cnn.h5" in done.stdout
    assert (tmp_path / "models" / "cnn.h5.bak").read_bytes() == before


@pytest.mark.parametrize(
    ("status", "message", "args"),
    [
        (2, "is not one of", ("--arch", "gan")),
        (2, "Invalid value", ("--epochs", 0)),
        (2, "--mix needs --from", ("--mix", 5)),
        (2, "--save-anyway needs --from", ("--save-anyway",)),
        (1, "none.npz", ("--data", "sample", "--soft-targets", "none.npz")),
        (2, "No such option", ("--epoch-count", 3)),
        (1, "dense has no preset 'notebook'", ("--arch", "dense", "--preset", "notebook")),
        (1, "finds no gpu", ("--data", "sample", "--device", "gpu")),
        (1, "none.npz", ("--data", "none.npz")),
        (1, "MNIST was not found", ("--data", "mnist")),
        (1, "none.h5", ("--from", "none.h5")),
        (1, "ends in .h5", ("-o", "model.keras")),
        (1, "/proc/x/m.h5: cannot write", ("--output", "/proc/x/m.h5")),
    ],
)
def test_mistakes_are_found_before_training(
    run: Run, tmp_path: Path, status: int, message: str, args: tuple[object, ...]
) -> None:
    done = run("train", *args)
    assert done.returncode == status, done.stderr
    assert message.lower() in done.stderr.lower()
    if status == 1:
        assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.rglob("*.h5"))


def _interrupt(args: list[str], cwd: Path, until: str) -> tuple[int, str]:
    """Run `digits` in a terminal and press Ctrl-C once the output matches `until`."""
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "digits", *args],
        cwd=cwd, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        env={**os.environ, "COLUMNS": "120", "TERM": "xterm"},
    )  # fmt: skip
    os.close(terminal)
    raw, pressed = b"", False
    deadline = time.monotonic() + 120  # in case it hangs
    while time.monotonic() < deadline:
        if not select.select([main], [], [], 1)[0]:
            continue
        try:
            raw += os.read(main, 65536)
        except OSError:  # the terminal is closed: the process has ended
            break
        if not pressed and re.search(until, _text(raw)):
            process.send_signal(signal.SIGINT)
            pressed = True
    os.close(main)
    if process.poll() is None and not pressed:
        process.kill()
    return process.wait(30), _text(raw)


def _text(raw: bytes) -> str:
    """Terminal output without its control sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", raw.decode(errors="replace"))


def test_a_terminal_shows_epochs_and_ctrl_c_says_how_to_go_on(run: Run, tmp_path: Path) -> None:
    status, seen = _interrupt(
        ["train", "--arch", "dense", "--data", "sample", "--epochs", "20000", "-o", "a/m.h5"],
        tmp_path,
        until=r" 3  \d\.\d{4}",
    )
    assert status == 130, seen[-2000:]
    assert "Flatten" in seen
    assert "dense fast: 3,800 pictures, adam, learning rate 0.01" in seen
    assert re.search(r"estimated time: \d+ (seconds|minutes|hours)", seen)
    assert "epoch    loss  accuracy" in seen
    said = re.search(
        r"Interrupted\. a/m-run/checkpoint\.h5 is the model after epoch (\d+)\. "
        r"Go on with: digits (train --resume -o a/m\.h5)\s",
        seen,
    )
    assert said, seen[-2000:]
    assert "Traceback" not in seen
    assert not (tmp_path / "a" / "m.h5").exists()

    epochs = int(said[1])
    done = run(*said[2].split(), "--epochs", epochs + 1)
    assert done.returncode == 0, done.stderr
    history = read(tmp_path / "a" / "m.h5").metadata.history
    assert [epoch.epoch for epoch in history] == list(range(1, epochs + 2))


def test_a_terminal_shows_how_long_fine_tuning_takes(
    tmp_path: Path, models: dict[str, Path], sample: Splits
) -> None:
    np.savez(
        tmp_path / "own.npz",
        images=sample["train"].images[:30],
        labels=sample["train"].labels[:30],
    )
    status, seen = _interrupt(
        ["train", "--from", str(models["cnn"]), "--data", "own.npz", "-o", "m.h5"],
        tmp_path,
        until="never",
    )
    assert status == 0, seen[-2000:]
    begun = seen.index("fine-tuning the last layers of cnn: ")
    estimated = re.search(r"estimated time: \d+ (seconds|minutes)\s", seen)
    assert estimated
    assert begun < estimated.start() < seen.index("applying the frozen layers")
    assert "time left" in seen
    assert len(re.findall(r" +\d  \d\.\d{4} .* \*", seen)) == 1  # only the last epoch is kept
    assert "before" in seen


def test_ctrl_c_before_the_first_epoch_saves_nothing(tmp_path: Path) -> None:
    status, seen = _interrupt(
        ["train", "--arch", "cnn", "--preset", "classic", "--data", "sample", "--batch-size", "1"],
        tmp_path,
        until="epoch 1 of",
    )
    assert status == 130
    assert seen.rstrip().endswith("Interrupted. Nothing was saved yet.")
    assert not list(tmp_path.rglob("*.h5"))


def test_resuming_takes_the_options_from_the_checkpoint(run: Run, tmp_path: Path) -> None:
    first = ("train", "--arch", "dense", "--data", "sample", "--limit", 300, "--batch-size", 50)
    assert run(*first, "--epochs", 1).returncode == 0
    done = run("train", "--resume", "--epochs", 2)  # the last training in models/
    assert done.returncode == 0, done.stderr
    metadata = read(tmp_path / "models" / "dense.h5").metadata
    assert (len(metadata.history), metadata.data[0].pictures) == (2, 300)
    assert run(*first, "--resume", "--epochs", 3).returncode == 0
    refused = run(
        "train", "--resume", "--arch", "dense", "--batch-size", 64, "--augment", "--seed", 1,
        "--from", "cnn",
    )  # fmt: skip
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert (
        "models/dense-run/checkpoint.h5: the training began with --from None, not cnn; "
        "--batch-size 50, not 64; --augment False, not True; --seed 0, not 1. Leave that out"
        in line
    )


def test_an_interrupted_training_is_not_forgotten(run: Run, tmp_path: Path) -> None:
    none = run("train", "--resume")
    assert (none.returncode, none.stderr.count("\n")) == (1, 1)
    assert (
        "cnn-run/checkpoint.h5: there is no training to resume. Leave --resume out" in none.stderr
    )
