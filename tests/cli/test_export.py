"""`digits export` and `digits convert`."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from commands import Run
from digits import Splits
from digits.models._keras import import_keras
from digits.models.export import FORMATS
from models.foreign.keras_files import dense_model, write_h5


@pytest.mark.parametrize("to", ["litert", "keras"])
def test_export(run: Run, models: dict[str, Path], tmp_path: Path, to: str) -> None:
    done = run("export", models["dense"], "--to", to, "-o", f"a.{to}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"wrote a.{to}: probabilities as in Keras on 1,000 digits")
    assert (tmp_path / f"a.{to}").is_file()
    again = run("export", models["dense"], "--to", to, "-o", f"a.{to}")
    assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)


def test_no_model_to_export(run: Run) -> None:
    missing = run("export", "none.h5", "--to", "keras", "-o", "a.keras")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith("Error: none.h5: there is no such model.")


def test_the_formats(run: Run) -> None:
    wrong = run("export", "cnn", "--to", "paper", "-o", "a")
    assert wrong.returncode == 2
    assert ", ".join(f"'{name}'" for name in FORMATS) in wrong.stderr


def test_convert_in_a_process_of_its_own(run_process: Run, sample: Splits, tmp_path: Path) -> None:
    """Where nothing has loaded Keras, the command need not load it itself."""
    config, weights = dense_model()
    write_h5(tmp_path / "old.h5", config, weights)
    done = run_process("convert", "old.h5", "-o", "new.h5")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "wrote new.h5, family dense"
    images = sample["test"].images[:5]
    plain = import_keras().models.load_model(tmp_path / "new.h5", compile=False)
    expected = plain.predict(images, verbose=0)
    for number, image in enumerate(images):
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    pictures = [f"{number}.png" for number in range(len(images))]
    options = ("--model", "new.h5", "--min-confidence", "0", "--format", "jsonl")
    predicted = run_process("predict", *pictures, *options)
    records = list(map(json.loads, predicted.stdout.splitlines()))
    assert len(records) == len(images)
    assert "compiling" not in predicted.stderr
    # The rejector takes its share of the probabilities; the digit is the model's.
    assert [np.argmax(r["probabilities"]) for r in records] == expected.argmax(axis=1).tolist()


def test_what_cannot_be_converted(run: Run, models: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("hello")
    for command in (("convert", "text.h5", "-o", "b.h5"), ("info", "text.h5")):
        done = run(*command)
        assert done.returncode == 1
        assert done.stderr == (
            "Error: text.h5: the file is not a Keras model. Give a model file (.h5 or .keras).\n"
        )
    done = run("convert", models["dense"], "-o", "b.h5")
    assert "is a model file of digits already" in done.stderr
    done = run("convert", "text.h5", "-o", models["dense"])
    assert "exists already" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["text.h5"]
