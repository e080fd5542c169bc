"""The page and the command line put the same result into the same words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digits._io.text import percent
from digits.recognition.results import Prediction, Reason
from digits.reports.wording import describe


def test_percentages(page: Any) -> None:
    rng = np.random.default_rng(0)
    thousandths = np.arange(2001) / 2000  # where rounding has ties
    near = [p + d for p in (0, 0.0005, 0.5, 0.9995, 1) for d in (-1e-6, -1e-16, 1e-16, 1e-6)]
    values = [*thousandths, *near, *np.round(rng.random(2000), 6), *rng.random(2000)]
    values = [float(value) for value in values if 0 <= value <= 1]
    script = "async (values) => values.map((await import('/static/wording.js')).percent)"
    assert page.evaluate(script, values) == [percent(value) for value in values]


@pytest.mark.parametrize("reason", [None, *Reason])
def test_predictions(page: Any, reason: Reason | None) -> None:
    probabilities = (0.0, 0.41, 0.02, 0.0, 0.0, 0.372499, 0.01, 0.0, 0.0, 0.0)
    prediction = Prediction(None if reason else 1, 0.41, probabilities, 0.187501, reason)
    script = "async (prediction) => (await import('/static/wording.js')).describe(prediction)"
    # The command line adds after a semicolon which other command to use.
    expected = describe(prediction).partition(";")[0]
    assert page.evaluate(script, prediction.to_json()) == expected
