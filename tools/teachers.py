"""Train teachers, and ask them about many variations of MNIST's digits: `make teachers`.

    python tools/teachers.py FOLDER

Writes into FOLDER `NAME.npz` with the weights of each teacher, and `soft-targets.npz`, from which
`digits train --soft-targets` learns. What is there already is not made again, and after an
interruption a training goes on after its last whole epoch. Teachers are in no package.

They are trained with PyTorch, in bfloat16: on two cores with matrix units (AMX), Keras on
TensorFlow took 2.5 times as long in bfloat16, and four times in float32.
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"  # of the augmentation; before Keras is imported

import argparse
import math
import multiprocessing
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from digits import load
from digits.data.dataset import Dataset, joined
from digits.training.augment import variations
from digits.training.presets import STRONG_AUGMENT
from digits.training.recipe import Augment
from digits.training.synthetic.handwriting import generate_digits


@dataclass(frozen=True)
class Plan:
    """How a teacher is made.

    Attributes:
        architecture: See `network`.
        seed: Of everything random.
        epochs: Passes over its training set.
        generated: Number of images of generated handwriting in it.
        augment: Random augmentation.
    """

    architecture: str
    seed: int
    epochs: int
    generated: int
    augment: Augment

    @property
    def name(self) -> str:
        return f"{self.architecture}-{self.seed}"


# Teachers for pictures of any kind, and for MNIST: less of what MNIST does not have.
_ANY = {"generated": 25_000, "augment": replace(STRONG_AUGMENT, photometric=0.35)}
_MNIST = {"generated": 12_000, "augment": replace(STRONG_AUGMENT, photometric=0.2, stretch=0.1)}
TEACHERS = (
    Plan("narrow", 1, epochs=30, **_ANY),
    Plan("wide", 2, epochs=30, **_ANY),
    Plan("narrow", 3, epochs=30, **_ANY),
    Plan("narrow", 11, epochs=50, **_MNIST),
    Plan("narrow", 12, epochs=50, **_MNIST),
    Plan("wide", 13, epochs=45, **_MNIST),
    Plan("narrow", 14, epochs=60, **_MNIST),
)
LOW_AUGMENTATION_EPOCHS = 5
BATCH, LEARNING_RATE, WEIGHT_DECAY, WARMUP_STEPS = 128, 2e-3, 0.02, 300
AVERAGING = 0.999  # of the weights, from step to step

ROUNDS = 12
GENERATED = 12_000  # images of generated handwriting in each round, others each time
KINDS = {None: 0.15, Augment(rotation=10, zoom=0.1, shift=0.05, shear=0.15, elastic=0.7): 0.45,
         STRONG_AUGMENT: 0.4}  # fmt: skip
"""How the images of the soft targets are augmented, and what share of them. Half are as strange as
pictures in the wild; the rest are as MNIST is."""

TEMPERATURE = 2.0
"""Of the soft targets: what a teacher thinks of the improbable digits counts more. The student's
own temperature is calibrated at the end."""

AUGMENTED_BATCHES = 8  # at once, which is faster


def network(architecture: str) -> nn.Module:
    """Stacked convolutions as in VGG; "wide" has two small ones where "narrow" has a large one."""

    def block(channels: int, filters: int, size: int = 3, padding: int = 1, pool: bool = False):  # type: ignore[no-untyped-def]
        convolution = nn.Conv2d(channels, filters, size, padding=padding, bias=False)
        pooling = [nn.MaxPool2d(2)] if pool else []
        return [convolution, *pooling, nn.BatchNorm2d(filters), nn.ReLU(inplace=True)]

    if architecture == "narrow":
        stem = [*block(1, 32, 5, 0, pool=True), *block(32, 64), *block(64, 64, pool=True)]
        stem += block(64, 128)
    else:
        stem = [*block(1, 32, 3, 0), *block(32, 32, 3, 0, pool=True), *block(32, 96)]
        stem += [*block(96, 96, pool=True), *block(96, 128)]
    head = [nn.Dropout(0.3), nn.Linear(128 * 9, 128), nn.ReLU(), nn.Dropout(0.3)]
    net = nn.Sequential(*stem, *block(128, 128, pool=True), nn.Flatten(), *head, nn.Linear(128, 10))
    return net.to(memory_format=torch.channels_last)


def inputs(images: NDArray[np.uint8]) -> torch.Tensor:
    """(n, 1, 28, 28) of images (n, 28, 28)."""
    pixels = torch.from_numpy(np.ascontiguousarray(images)).float()[:, None] / 255
    return pixels.to(memory_format=torch.channels_last)


def digits() -> tuple[Dataset, Dataset]:
    """MNIST's training digits, and those of them that are held out."""
    return load("mnist")["train"].held_out(0.05, 0)


class Teacher:
    """A network, the moving average of its weights, and its optimizer."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.checkpoint, self.weights = folder / f"{plan.name}.pt", folder / f"{plan.name}.npz"
        self.net, self.average = network(plan.architecture), network(plan.architecture)
        self.average.load_state_dict(self.net.state_dict())
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=True
        )
        self.epochs = 0
        if self.weights.exists():
            with np.load(self.weights) as known:
                state = {name: torch.from_numpy(known[name]) for name in known}
            self.average.load_state_dict(state)
            self.epochs = plan.epochs
        elif self.checkpoint.exists():
            self._restore()

    def _restore(self) -> None:
        known = torch.load(self.checkpoint, weights_only=True)
        self.net.load_state_dict(known["net"])
        self.average.load_state_dict(known["average"])
        self.optimizer.load_state_dict(known["optimizer"])
        self.epochs = known["epochs"]

    def _save(self) -> None:
        temporary = self.checkpoint.with_suffix(".tmp")
        state = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epochs": self.epochs,
        }
        torch.save(state, temporary)
        temporary.replace(self.checkpoint)

    def _finish(self) -> None:
        """Keep the averaged weights alone, as float16."""
        kept = {
            name: value.half().numpy() if value.is_floating_point() else value.numpy()
            for name, value in self.average.state_dict().items()
        }
        np.savez_compressed(self.weights, **kept)
        self.checkpoint.unlink()

    def train(self) -> None:
        """Train to the last epoch, and save after each."""
        if self.weights.exists():
            return
        kept, held_out = digits()
        plan = self.plan
        data = joined([kept, generate_digits(plan.generated, 1000 + plan.seed)], "all")
        while self.epochs < plan.epochs:
            started = time.perf_counter()
            steps = len(data) // BATCH
            for step, (images, labels) in enumerate(self._batches(data)):
                self._step(images, labels, self.epochs * steps + step, plan.epochs * steps)
            self.epochs += 1
            self._save()
            right = self.logits(held_out.images).argmax(axis=1) == held_out.labels
            print(
                f"{plan.name}: epoch {self.epochs}, {right.mean():.2%} of the digits held out, "
                f"{time.perf_counter() - started:.0f} s",
                flush=True,
            )
        self._finish()

    def _batches(self, data: Dataset) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """The augmented batches of an epoch, which its number and the seed decide."""
        self.net.train()
        rng = np.random.default_rng((self.plan.seed, self.epochs))
        order = rng.permutation(len(data))[: len(data) // BATCH * BATCH]
        share = 1.0 if self.epochs < self.plan.epochs - LOW_AUGMENTATION_EPOCHS else 0.5
        for start in range(0, len(order), BATCH * AUGMENTED_BATCHES):
            part = data.take(order[start : start + BATCH * AUGMENTED_BATCHES])
            images = varied(part.images, {None: 1 - share, self.plan.augment: share}, rng)
            for first in range(0, len(part), BATCH):
                yield images[first : first + BATCH], part.labels[first : first + BATCH]

    def _step(
        self, images: NDArray[np.uint8], labels: NDArray[np.uint8], step: int, steps: int
    ) -> None:
        rate = LEARNING_RATE * min(1.0, (step + 1) / WARMUP_STEPS)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * step / steps))
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.net(inputs(images))
        truth = torch.from_numpy(labels.astype(np.int64))
        nn.functional.cross_entropy(logits.float(), truth).backward()
        self.optimizer.step()
        self._move_average(1 - min(AVERAGING, (1 + step) / (10 + step)))

    @torch.no_grad()
    def _move_average(self, share: float) -> None:
        state = self.net.state_dict()
        for name, value in self.average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(state[name], share)
            else:
                value.copy_(state[name])

    @torch.no_grad()
    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 10) of images (n, 28, 28)."""
        self.average.eval()
        parts = []
        with torch.autocast("cpu", torch.bfloat16):
            for start in range(0, len(images), 1000):
                parts.append(self.average(inputs(images[start : start + 1000])).float().numpy())
        return np.concatenate(parts)


def varied(
    images: NDArray[np.uint8], kinds: Mapping[Augment | None, float], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """`images`, each augmented in one of these ways; the numbers are their shares."""
    kind = rng.choice(len(kinds), len(images), p=list(kinds.values()))
    result = images.copy()
    for number, augment in enumerate(kinds):
        if augment and (chosen := kind == number).any():
            result[chosen] = variations(images[chosen], augment, int(rng.integers(2**31)))
    return result


def all_variations() -> NDArray[np.uint8]:
    """The images of the soft targets: in each round all digits and as many other generated ones."""
    kept, _ = digits()
    rounds = []
    for number in range(ROUNDS):
        data = joined([kept, generate_digits(GENERATED, 7000 + number)], "all").shuffled(number)
        rng = np.random.default_rng((9, number))
        rounds.append(varied(data.images, KINDS, rng))
    return np.concatenate(rounds)


def train_teacher(folder: Path, plan: Plan) -> None:
    """Train a teacher, on one processor."""
    torch.set_num_threads(1)
    Teacher(folder, plan).train()


def write_soft_targets(folder: Path) -> None:
    """Ask the teachers, and write the mean of their logits as probabilities."""
    torch.set_num_threads(os.cpu_count() or 1)
    images = all_variations()
    _, held_out = digits()
    logits = np.zeros((len(images), 10), np.float32)
    of_held_out = np.zeros((len(held_out), 10), np.float32)
    for plan in TEACHERS:
        teacher = Teacher(folder, plan)
        logits += teacher.logits(images) / len(TEACHERS)
        of_held_out += teacher.logits(held_out.images) / len(TEACHERS)
    right = (of_held_out.argmax(axis=1) == held_out.labels).mean()
    print(f"the teachers together: {right:.2%} of the digits held out")
    softened = np.exp((logits - logits.max(axis=1, keepdims=True)) / TEMPERATURE)
    temporary = folder / "soft-targets.tmp.npz"
    np.savez(
        temporary,
        images=images,
        probabilities=(softened / softened.sum(axis=1, keepdims=True)).astype(np.float16),
        validation_images=held_out.images,
        validation_labels=held_out.labels,
    )
    temporary.replace(folder / "soft-targets.npz")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    tasks = [(options.folder, plan) for plan in TEACHERS]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        pool.starmap(train_teacher, tasks, chunksize=1)
    write_soft_targets(options.folder)


if __name__ == "__main__":
    main()
