"""Which input a foreign model was trained on. No file says whether pixels went to 1 or to 255."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...data.mnist import load_sample
from .architecture import Network
from .hdf5 import Weights
from .rebuild import rebuild

PICTURES = 300
"""Of the embedded digits, that each way is tried on: 4 points are two standard errors at chance."""

_BETTER = 0.1  # share of the pictures by which another way than the usual must be better
_WAYS = {"0 to 1": (True, False), "0 to 255": (False, False),
         "1 to 0": (True, True), "255 to 0": (False, True)}  # fmt: skip


def find_input(network: Network, weights: Weights) -> tuple[Network, dict[str, float]]:
    """Try a network with pixels to 1 and to 255, white ink on black and black on white.

    Returns:
        The network with the input that reads most of the embedded digits (as its layers suggest
        it, unless another is clearly better), and the share that each reads, by its name: the
        value of the background, `to` the value of the ink. The best comes first.
    """
    test = load_sample()["test"].limit(PICTURES)
    shares: dict[str, float] = {}
    for name, (scaled, inverted) in _WAYS.items():
        model = rebuild(replace(network, scaled=scaled, inverted=inverted), weights)
        answers = np.asarray(model(test.images.astype(np.float32), training=False))
        shares[name] = float((answers.argmax(axis=1) == test.labels).mean())
    usual = next(n for n, way in _WAYS.items() if way == (network.scaled, network.inverted))
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < shares[usual] + _BETTER:
        best = usual
    scaled, inverted = _WAYS[best]
    others = {name: share for name, share in shares.items() if name != best}
    return replace(network, scaled=scaled, inverted=inverted), {best: shares[best], **others}
