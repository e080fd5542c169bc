"""Make the tiny models in `models/` beside this file, from which the tests read digits.

Run it again, and commit what it wrote, whenever the model file's layout or metadata change:

    python tests/files/make_models.py

Takes about a minute. Each learns from the 4,000 training digits of `sample`; the accuracies are
those on its 1,000 test digits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from digits import load, train
from digits._io.stderr import native_stderr_silenced
from digits.training.recipe import Augment

MODELS: dict[str, dict[str, Any]] = {
    "dense": {
        "preset": "classic",
        "epochs": 40,
        "batch_size": 32,
        "learning_rate": 2e-3,
        "cosine_decay": True,
        "augment": Augment(rotation=8, zoom=0.08, shift=0.04, elastic=0.6),
    },
    "cnn": {
        "preset": "classic",
        "architecture": {"filters": (8, 16), "kernel_size": 3, "units": 24},
        "epochs": 10,
    },
    "rnn": {
        "preset": "fast",
        "architecture": {"units": (32,), "bidirectional": True, "summary": 24},
        "epochs": 10,
    },
}


def main() -> None:
    folder = Path(__file__).with_name("models")
    sample = load("sample")
    for family, settings in MODELS.items():
        with native_stderr_silenced():
            trained = train(family, sample, **settings)
        path = folder / f"{family}.h5"
        trained.save(path)
        for leftover in (path.with_name(f"{path.name}.bak"), *folder.glob("*-run/*")):
            leftover.unlink(missing_ok=True)
        for run_folder in folder.glob("*-run"):
            run_folder.rmdir()
        accuracy = trained.scores[0].accuracy
        print(f"{path.name}: {accuracy:.1%}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
