"""Calibrate a model's probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .examples import Examples

MIN_EXAMPLES = 100
"""Fewer say nothing about the temperature: most are recognized whatever it is."""

_TEMPERATURES = np.geomspace(0.25, 4, 97)  # in steps of 3 %


def calibrate(model: Any, held_out: Examples) -> float | None:
    """Calibrate a model in place by temperature scaling (Guo, Pleiss, Sun and Weinberger, 2017).

    The logits are divided by the temperature that maximizes the likelihood of the true labels; it
    goes into the weights of the last layer. The predicted classes stay the same.

    Args:
        model: A Keras model of pixels (n, 28, 28).
        held_out: Examples that the model was not fitted to.

    Returns:
        The temperature. None, with the model unchanged, when its last layer is not a dense softmax,
        or there are fewer than `MIN_EXAMPLES`.
    """
    if len(held_out) < MIN_EXAMPLES:
        return None
    last = model.layers[-1]
    config = last.get_config()
    if type(last).__name__ != "Dense" or config["activation"] != "softmax":
        return None
    probabilities = model.predict(held_out.images, batch_size=1000, verbose=0)
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-30))  # up to a constant
    losses = [_cross_entropy(logits / t, held_out.labels) for t in _TEMPERATURES]
    temperature = float(_TEMPERATURES[int(np.argmin(losses))])
    last.set_weights([weight / temperature for weight in last.get_weights()])
    return temperature


def _cross_entropy(logits: NDArray[np.float64], labels: NDArray[np.uint8]) -> float:
    """Mean negative log-likelihood, in nats, of `labels` under the softmax of `logits`."""
    top = logits.max(axis=1, keepdims=True)
    total = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
    return float((total - logits[np.arange(len(labels)), labels]).mean())
