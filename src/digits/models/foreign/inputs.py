"""Which input a foreign model was trained on. No file says whether pixels went to 1 or to 255."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...data.mnist import load_sample
from .architecture import Network
from .hdf5 import Weights
from .rebuild import rebuild

PICTURES = 300
"""Of the embedded digits, that each way is tried on."""

CHANCE = 0.2
"""Share of them: a model that reads fewer answers by chance."""

USUAL = "0 to 1"

_WAYS = {
    USUAL: (True, False),
    "0 to 255": (False, False),
    "1 to 0": (True, True),
    "255 to 0": (False, True),
}
_LEAST = 1e-7  # of a probability, so that its logarithm is finite


def find_input(network: Network, weights: Weights) -> tuple[Network, dict[str, float]]:
    """Try a network with pixels to 1 and to 255, white ink on black and black on white.

    The way with the lowest cross-entropy is taken: many networks read as many digits on a wrong
    scale, but are never sure there, or always. One that reads none is left as its layers suggest.

    Returns:
        The network with that input, and the share of digits that each way reads, by its name: the
        values of background and ink. The way that is taken comes first.
    """
    test = load_sample()["test"].limit(PICTURES)
    shares: dict[str, float] = {}
    losses: dict[str, float] = {}
    for name in _WAYS:
        model = rebuild(with_input(network, name), weights)
        answers = np.asarray(model(test.images.astype(np.float32), training=False))
        of_truth = answers[np.arange(len(test)), test.labels]
        shares[name] = float((answers.argmax(axis=1) == test.labels).mean())
        losses[name] = float(-np.log(np.maximum(np.nan_to_num(of_truth), _LEAST)).mean())
    best = min(losses, key=lambda name: losses[name])
    if shares[best] < CHANCE:
        best = next(n for n, way in _WAYS.items() if way == (network.scaled, network.inverted))
    others = {name: share for name, share in shares.items() if name != best}
    return with_input(network, best), {best: shares[best], **others}


def with_input(network: Network, name: str) -> Network:
    """A network that takes the values of background and ink of that name: see `find_input`."""
    scaled, inverted = _WAYS[name]
    return replace(network, scaled=scaled, inverted=inverted)
