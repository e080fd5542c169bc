"""Make a model's probabilities mean what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .fit import Examples

_TEMPERATURES = np.geomspace(0.25, 4, 97)


def calibrate(model: Any, held_out: Examples) -> float | None:
    """Divide the model's last sums by the temperature at which its answers on `held_out` fit best.

    Temperature scaling (Guo, Pleiss, Sun and Weinberger, 2017): one number, chosen by the
    likelihood of the true labels. It changes no answer, only how sure it is, and goes into the
    weights of the last layer. Returns it; None, and nothing is changed, when that is no dense
    softmax.
    """
    last = model.layers[-1]
    config = last.get_config()
    if type(last).__name__ != "Dense" or config["activation"] != "softmax":
        return None
    answers = model.predict(held_out.images, batch_size=1000, verbose=0)
    logs = np.log(np.maximum(answers.astype(np.float64), 1e-30))
    losses = [_loss(logs / t, held_out.labels) for t in _TEMPERATURES]
    temperature = float(_TEMPERATURES[int(np.argmin(losses))])
    last.set_weights([weight / temperature for weight in last.get_weights()])
    return temperature


def _loss(logs: NDArray[np.float64], labels: NDArray[np.uint8]) -> float:
    """Mean negative log-likelihood of `labels` under the softmax of `logs`."""
    top = logs.max(axis=1, keepdims=True)
    total = top[:, 0] + np.log(np.exp(logs - top).sum(axis=1))
    return float((total - logs[np.arange(len(labels)), labels]).mean())
