"""Learning from the probabilities that teachers gave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digits import DataError, Recognizer, Splits, train
from digits.training.distillation import EPOCHS, read_soft_targets


@pytest.fixture(scope="module")
def soft_targets(
    sample: Splits, models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A teacher that takes each digit for the next one: only its word can teach that."""
    path = tmp_path_factory.mktemp("soft") / "soft.npz"
    images, held_out = sample["train"].images[:2000], sample["train"].take(slice(2000, 2200))
    probabilities = np.roll(Recognizer(models["cnn"]).probabilities(images), 1, axis=1)
    np.savez(
        path, images=images, probabilities=probabilities.astype(np.float16),
        validation_images=held_out.images, validation_labels=(held_out.labels + 1) % 10,
    )  # fmt: skip
    return path


def test_a_student_learns_what_its_teacher_says(sample: Splits, soft_targets: Path) -> None:
    trained = train("dense", sample, preset="best", soft_targets=soft_targets, epochs=5,
                    architecture={"units": (32,)})  # fmt: skip
    answers = trained.model.predict(sample["test"].images, verbose=0).argmax(axis=1)
    assert (answers == (sample["test"].labels + 1) % 10).mean() > 0.8
    assert trained.recipe.augment is None
    assert trained.history[-1].val_accuracy is not None
    assert trained.history[-1].val_accuracy > 0.8
    assert trained.metadata.validation_pictures == 200
    assert (trained.training_digests == sample["train"].digests).all()


def test_a_preset_is_for_as_many_passes_as_students_need(
    sample: Splits, soft_targets: Path
) -> None:
    trained = train("dense", sample, soft_targets=soft_targets, architecture={"units": (4,)})
    assert len(trained.history) == EPOCHS


def test_what_is_no_file_of_soft_targets_is_refused(tmp_path: Path, soft_targets: Path) -> None:
    with np.load(soft_targets) as arrays:
        good = dict(arrays)
    for name, broken in (
        ("images", good["images"][:-1]),
        ("images", good["images"].astype(np.float32)),
        ("probabilities", good["probabilities"][:, :9]),
        ("probabilities", good["probabilities"] * 2),
        ("validation_labels", None),
    ):
        changed = {**good, name: broken}
        np.savez(tmp_path / "soft.npz", **{n: a for n, a in changed.items() if a is not None})
        with pytest.raises(DataError, match="no soft targets"):
            read_soft_targets(tmp_path / "soft.npz")
    with pytest.raises(DataError, match=r"none\.npz"):
        read_soft_targets(tmp_path / "none.npz")
