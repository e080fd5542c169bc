"""Fit the constants of `recognition/joint.py` on generated pages: `python tools/fit_joint.py`.

The pages are written with MNIST's training digits that were held out of the finder's training.
Prints the constants, with what they give; to be run after the finder or the rejector was trained.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from train_finder import training_digits

from digits import Reader
from digits.data.dataset import Dataset
from digits.models.families import FAMILIES
from digits.recognition import rejector
from digits.recognition.joint import log_odds
from digits.recognition.recognizer import Recognizer
from digits.recognition.rejector import NO_DIGIT, PRIOR
from digits.training.synthetic.found import Candidates, find_on_pages
from digits.training.synthetic.pages.page import PageMaker

SEED = 3_000_017
Floats = NDArray[np.floating]


def fit_digits(found: Candidates) -> None:
    """Print how good pools of model and finder are, by the weight of the model."""
    is_digit = found.labels != NO_DIGIT
    labels, finder = found.labels[is_digit], found.finder[is_digit, :NO_DIGIT] + 1e-4
    finder /= finder.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    for family in FAMILIES:
        model = Recognizer(family).probabilities(found.images[is_digit])
        for weight in (0.0, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0):
            pool = weight * model + (1 - weight) * finder
            loss = -np.log(np.maximum(pool[rows, labels], 1e-9)).mean()
            right = (pool.argmax(axis=1) == labels).mean()
            print(f"{family}, weight {weight}: {right:.2%} right, cross-entropy {loss:.4f}")


def fit_no_digit(found: Candidates) -> None:
    """Print the regression of "no digit" on what finder and rejector say."""
    none = found.labels == NO_DIGIT
    rejected = rejector.probabilities(found.images)[:, NO_DIGIT]
    features = np.stack([log_odds(found.finder[:, NO_DIGIT]), log_odds(rejected)], axis=1)
    prior = PRIOR * found.mistaken / (PRIOR * found.mistaken + 1 - PRIOR)  # of what is found
    weights = np.where(none, prior / none.mean(), (1 - prior) / (1 - none.mean()))
    fitted = LogisticRegression(C=np.inf).fit(features, none, sample_weight=weights)
    refused = fitted.predict(features)
    print(f"_OF_FINDER, _OF_REJECTOR = {fitted.coef_[0].round(3)}, _BIAS = {fitted.intercept_}")
    print(f"something is found on {found.mistaken:.1%} of the pages without digits")
    print(f"refused: {refused[~none].mean():.2%} of digits, {refused[none].mean():.2%} of the rest")


def fit_lines(digits: Dataset, count: int) -> None:
    """Print the regression of "the line is right" on the product of its digits' probabilities."""
    maker, reader = PageMaker(digits, SEED, margins=0.0, smallest=14.0), Reader("cnn")
    products, right = [], []
    while len(right) < count:
        sides = 32 * maker.draw.integer(3, 12), 32 * maker.draw.integer(8, 16)
        page = maker.page(sides, "lines")
        if not page.digits or any(digit.label < 0 for digit in page.digits):
            continue
        reading = reader.read(page.gray, min_confidence=0)
        for number, text in enumerate(reading.lines):
            line = [digit.confidence for digit in reading.digits if digit.line == number]
            products.append(np.log(np.maximum(line, 1e-4)).sum())
            right.append(text in page.lines)
    features = np.array(products)[:, None]
    fitted = LogisticRegression(C=np.inf).fit(features, right)
    print(f"_LINE_SLOPE = {fitted.coef_[0]}, _LINE_BIAS = {fitted.intercept_}")
    _print_calibration(fitted.predict_proba(features)[:, 1], np.array(right))


def _print_calibration(confidence: Floats, right: NDArray[np.bool_]) -> None:
    order = np.argsort(-confidence)
    for accepted in (0.5, 0.7, 0.9, 1.0):
        kept = order[: max(1, round(accepted * len(order)))]
        said, are = confidence[kept].mean(), right[kept].mean()
        print(f"the surest {accepted:.0%} of {len(order)} lines: {said:.1%} said, {are:.1%} right")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = Path(os.environ.get("DIGITS_DATA", "data"))
    parser.add_argument("--mnist", type=Path, default=data / "mnist.npz")
    parser.add_argument("--candidates", type=int, default=3000)
    parser.add_argument("--lines", type=int, default=400)
    options = parser.parse_args()
    digits = training_digits(options.mnist, held_out=True)
    found = find_on_pages(digits, options.candidates, NO_DIGIT, SEED)
    fit_digits(found)
    fit_no_digit(found)
    fit_lines(digits, options.lines)


if __name__ == "__main__":
    main()
