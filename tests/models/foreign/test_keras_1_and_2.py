"""Files of the formats of Keras 1 and 2: the same answers as plain NumPy gives on their weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from digits import ModelError, Splits
from digits.models.trust import load_trusted
from models.foreign.keras_files import (
    arrays,
    dense_model,
    layer,
    rebuilt_answers,
    relu,
    sequential,
    softmax,
    write_h5,
)  # fmt: skip

Pixels = np.ndarray


@pytest.fixture(scope="module")
def pixels(sample: Splits) -> Pixels:
    return sample["test"].images[:40]


def node(entry: dict[str, Any], *inputs: str) -> dict[str, Any]:
    """A layer of a functional model, with those that it takes from."""
    nodes = [[[name, 0, 0, {}] for name in inputs]] if inputs else []
    return {**entry, "name": entry["config"]["name"], "inbound_nodes": nodes}


def _agree(path: Path, pixels: Pixels, expected: Pixels) -> None:
    np.testing.assert_allclose(rebuilt_answers(path, pixels), expected, atol=1e-5)


def _convolved(x: Pixels, kernel: Pixels, bias: Pixels) -> Pixels:
    """Correlate (n, channels, rows, columns) with (rows, columns, in, out), without padding."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(2, 3))
    return np.einsum("ncyxij,ijco->noyx", windows, kernel) + bias[:, None, None]


def _pooled(x: Pixels) -> Pixels:
    n, channels, rows, columns = x.shape
    return x.reshape(n, channels, rows // 2, 2, columns // 2, 2).max(axis=(3, 5))


def _old(rng: np.random.Generator, name: str, **shapes: tuple[int, ...]) -> list[tuple[str, Any]]:
    return arrays(rng, **{f"{name}_{kind}": shape for kind, shape in shapes.items()})


def test_keras_1_dense(tmp_path: Path, pixels: Pixels) -> None:
    rng = np.random.default_rng(1)
    common = {
        "init": "glorot_uniform", "W_regularizer": None, "b_regularizer": None,
        "activity_regularizer": None, "W_constraint": None, "b_constraint": None, "bias": True,
    }  # fmt: skip
    config = {
        "class_name": "Sequential",
        "config": [
            layer("Dense", "dense_1", output_dim=6, activation="linear", input_dim=784,
                  batch_input_shape=[None, 784], input_dtype="float32", **common),
            layer("Activation", "activation_1", activation="relu"),
            layer("Dropout", "dropout_1", p=0.2),
            layer("BatchNormalization", "bn", epsilon=1e-5, mode=0, axis=-1, momentum=0.9,
                  gamma_regularizer=None, beta_regularizer=None),
            layer("Dense", "dense_2", output_dim=10, activation="softmax", input_dim=None,
                  **common),
        ],
    }  # fmt: skip
    weights = {
        "dense_1": _old(rng, "dense_1", W=(784, 6), b=(6,)),
        "activation_1": [],
        "dropout_1": [],
        "bn": _old(rng, "bn", gamma=(6,), beta=(6,), running_mean=(6,), running_std=(6,)),
        "dense_2": _old(rng, "dense_2", W=(6, 10), b=(10,)),
    }
    weights["bn"][3] = ("bn_running_std", rng.uniform(0.5, 1.5, 6).astype("f4"))
    path = write_h5(tmp_path / "old.h5", config, weights, "1.1.1", "")
    (w, b), (gamma, beta, mean, variance), (w2, b2) = (
        [array for _, array in weights[name]] for name in ("dense_1", "bn", "dense_2")
    )
    x = relu(pixels.reshape(-1, 784) / 255 @ w + b)
    x = (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
    _agree(path, pixels, softmax(x @ w2 + b2))


@pytest.mark.parametrize("ordering", ["th", "tf"])
@pytest.mark.parametrize("backend", ["", "tensorflow", "theano"])
def test_keras_1_convolutions(tmp_path: Path, pixels: Pixels, ordering: str, backend: str) -> None:
    rng = np.random.default_rng(2)
    first = ordering == "th"
    kernel, bias = (a for _, a in arrays(rng, kernel=(3, 5, 1, 4), bias=(4,)))
    w, b = (a for _, a in arrays(rng, w=(4 * 13 * 12, 10), b=(10,)))
    stored = kernel.transpose(3, 2, 0, 1) if first else kernel
    config = {
        "class_name": "Sequential",
        "config": [
            layer("Convolution2D", "convolution2d_1", nb_filter=4, nb_row=3, nb_col=5,
                  init="glorot_uniform", activation="relu", border_mode="valid",
                  subsample=[1, 1], dim_ordering=ordering, bias=True,
                  batch_input_shape=[None, 1, 28, 28] if first else [None, 28, 28, 1]),
            layer("MaxPooling2D", "pool", pool_size=[2, 2], strides=[2, 2], border_mode="valid",
                  dim_ordering=ordering),
            layer("Flatten", "flatten_1"),
            layer("Dense", "dense_1", output_dim=10, activation="softmax", bias=True),
        ],
    }  # fmt: skip
    weights = {
        "convolution2d_1": [("convolution2d_1_W", stored), ("convolution2d_1_b", bias)],
        "pool": [],
        "flatten_1": [],
        "dense_1": [("dense_1_W", w), ("dense_1_b", b)],
    }
    path = write_h5(tmp_path / "old.h5", config, weights, "1.2.2", backend)
    used = kernel[::-1, ::-1] if backend == "theano" else kernel
    x = _pooled(relu(_convolved(pixels[:, None] / 255, used, bias)))
    x = (x if first else x.transpose(0, 2, 3, 1)).reshape(len(x), -1)
    _agree(path, pixels, softmax(x @ w + b))


def test_keras_1_functional_and_rnn(tmp_path: Path, pixels: Pixels) -> None:
    rng = np.random.default_rng(3)

    config = {
        "class_name": "Model",
        "config": {
            "name": "model_1",
            "layers": [
                node(layer("InputLayer", "in", batch_input_shape=[None, 28, 28],
                           input_dtype="float32", sparse=False)),
                node(layer("SimpleRNN", "rnn", output_dim=5, activation="tanh", init="uniform",
                           inner_init="orthogonal", return_sequences=False, go_backwards=False,
                           stateful=False, unroll=False, consume_less="cpu", input_dim=28,
                           input_length=28, dropout_W=0.0, dropout_U=0.0), "in"),
                node(layer("Dense", "out", output_dim=10, activation="linear"), "rnn"),
            ],
            "input_layers": [["in", 0, 0]],
            "output_layers": [["out", 0, 0]],
        },
    }  # fmt: skip
    weights = {
        "in": [],
        "rnn": _old(rng, "rnn", W=(28, 5), U=(5, 5), b=(5,)),
        "out": _old(rng, "out", W=(5, 10), b=(10,)),
    }
    path = write_h5(tmp_path / "old.h5", config, weights, "1.2.0", "")
    (w, u, b), (w2, b2) = ([a for _, a in weights[name]] for name in ("rnn", "out"))
    state = np.zeros((len(pixels), 5))
    for row in range(28):
        state = np.tanh(pixels[:, row] / 255 @ w + state @ u + b)
    _agree(path, pixels, softmax(state @ w2 + b2))


@pytest.mark.parametrize("as_list", [True, False])
def test_keras_2_sequential(tmp_path: Path, pixels: Pixels, as_list: bool) -> None:
    config, weights = dense_model()
    if as_list:  # before 2.2.3
        config["config"] = config["config"]["layers"]
    path = write_h5(tmp_path / "old.h5", config, weights)
    _agree(path, pixels, _dense_answers(weights, pixels))


def _dense_answers(weights: Any, pixels: Pixels) -> Pixels:
    (w, b), (w2, b2) = ([a for _, a in arrays] for arrays in weights.values())
    return softmax(relu(pixels.reshape(-1, 784) / 255 @ w + b) @ w2 + b2)


def test_keras_2_functional_channels_first(tmp_path: Path, pixels: Pixels) -> None:
    rng = np.random.default_rng(4)

    conv = {
        "filters": 3, "kernel_size": [3, 3], "strides": [1, 1], "padding": "valid",
        "data_format": "channels_first", "dilation_rate": [1, 1], "activation": "relu",
        "use_bias": True,
    }  # fmt: skip
    config = {
        "class_name": "Model",
        "config": {
            "name": "model_1",
            "layers": [
                node(layer("InputLayer", "in", batch_input_shape=[None, 1, 28, 28],
                           dtype="float32", sparse=False)),
                node(layer("Conv2D", "a", **conv), "in"),
                node(layer("Conv2D", "b", **conv), "in"),
                node(layer("Concatenate", "join", axis=1), "a", "b"),
                node(layer("MaxPooling2D", "pool", pool_size=[2, 2], strides=[2, 2],
                           padding="valid", data_format="channels_first"), "join"),
                node(layer("Flatten", "flat", data_format="channels_first"), "pool"),
                node(layer("Dense", "out", units=10, activation="softmax"), "flat"),
            ],
            "input_layers": [["in", 0, 0]],
            "output_layers": [["out", 0, 0]],
        },
    }  # fmt: skip
    weights = {
        "in": [],
        "a": arrays(rng, **{"a/kernel:0": (3, 3, 1, 3), "a/bias:0": (3,)}),
        "b": arrays(rng, **{"b/kernel:0": (3, 3, 1, 3), "b/bias:0": (3,)}),
        "join": [], "pool": [], "flat": [],
        "out": arrays(rng, **{"out/kernel:0": (6 * 169, 10), "out/bias:0": (10,)}),
    }  # fmt: skip
    path = write_h5(tmp_path / "old.h5", config, weights)
    x = pixels[:, None] / 255
    maps = [relu(_convolved(x, *(array for _, array in weights[name]))) for name in ("a", "b")]
    w, b = (array for _, array in weights["out"])
    flat = _pooled(np.concatenate(maps, axis=1)).transpose(0, 2, 3, 1).reshape(len(x), -1)
    _agree(path, pixels, softmax(flat @ w + b))


def test_keras_2_depthwise_with_groups(tmp_path: Path, pixels: Pixels) -> None:
    """Keras 2 wrote a setting that today's Keras refuses."""
    rng = np.random.default_rng(5)
    config = sequential(
        layer("DepthwiseConv2D", "deep", kernel_size=[3, 3], strides=[1, 1], padding="valid",
              data_format="channels_last", dilation_rate=[1, 1], groups=1, depth_multiplier=4,
              activation="relu", use_bias=True, batch_input_shape=[None, 28, 28, 1]),
        layer("GlobalAveragePooling2D", "pool", data_format="channels_last"),
        layer("Dense", "out", units=10, activation="softmax"),
    )  # fmt: skip
    weights = {
        "deep": arrays(rng, **{"deep/depthwise_kernel:0": (3, 3, 1, 4), "deep/bias:0": (4,)}),
        "pool": [],
        "out": arrays(rng, **{"out/kernel:0": (4, 10), "out/bias:0": (10,)}),
    }
    path = write_h5(tmp_path / "old.h5", config, weights, "2.4.0")
    (kernel, bias), (w, b) = ([a for _, a in weights[n]] for n in ("deep", "out"))
    x = relu(_convolved(pixels[:, None] / 255, kernel, bias)).mean(axis=(2, 3))
    _agree(path, pixels, softmax(x @ w + b))


def _hard_sigmoid(x: Pixels) -> Pixels:
    """What Keras 1 and 2 called so; today's has another slope."""
    return np.clip(0.2 * x + 0.5, 0, 1)


def test_keras_2_lstm(tmp_path: Path, pixels: Pixels) -> None:
    rng = np.random.default_rng(6)
    config = sequential(
        layer("LSTM", "lstm", units=5, activation="tanh", recurrent_activation="hard_sigmoid",
              use_bias=True, unit_forget_bias=True, implementation=1, dropout=0.0,
              recurrent_dropout=0.0, return_sequences=False, return_state=False,
              go_backwards=False, stateful=False, unroll=False,
              batch_input_shape=[None, 28, 28]),
        layer("Dense", "out", units=10, activation="softmax"),
    )  # fmt: skip
    weights = {
        "lstm": [
            ("lstm/kernel:0", rng.normal(0, 0.5, (28, 20)).astype("f4")),
            ("lstm/recurrent_kernel:0", rng.normal(0, 0.5, (5, 20)).astype("f4")),
            ("lstm/bias:0", rng.normal(0, 0.5, 20).astype("f4")),
        ],
        "out": arrays(rng, **{"out/kernel:0": (5, 10), "out/bias:0": (10,)}),
    }
    path = write_h5(tmp_path / "old.h5", config, weights)
    (w, u, bias), (w2, b2) = ([a for _, a in weights[n]] for n in ("lstm", "out"))
    h = c = np.zeros((len(pixels), 5))
    for row in range(28):
        i, f, g, o = np.split(pixels[:, row] / 255 @ w + h @ u + bias, 4, axis=1)
        c = _hard_sigmoid(f) * c + _hard_sigmoid(i) * np.tanh(g)
        h = _hard_sigmoid(o) * np.tanh(c)
    _agree(path, pixels, softmax(h @ w2 + b2))


@pytest.mark.parametrize("reset_after", [None, True])
def test_keras_2_gru(tmp_path: Path, pixels: Pixels, reset_after: bool | None) -> None:
    rng = np.random.default_rng(7)
    extra = {} if reset_after is None else {"reset_after": reset_after}
    config = sequential(
        layer("GRU", "gru", units=5, activation="tanh", recurrent_activation="hard_sigmoid",
              batch_input_shape=[None, 28, 28], implementation=1, **extra),
        layer("Dense", "out", units=10, activation="softmax"),
    )  # fmt: skip
    weights = {
        "gru": [
            ("gru/kernel:0", rng.normal(0, 0.5, (28, 15)).astype("f4")),
            ("gru/recurrent_kernel:0", rng.normal(0, 0.5, (5, 15)).astype("f4")),
            ("gru/bias:0", rng.normal(0, 0.5, (2, 15) if reset_after else 15).astype("f4")),
        ],
        "out": arrays(rng, **{"out/kernel:0": (5, 10), "out/bias:0": (10,)}),
    }
    path = write_h5(tmp_path / "old.h5", config, weights)
    (w, u, bias), (w2, b2) = ([a for _, a in weights[n]] for n in ("gru", "out"))
    before, after = bias if reset_after else (bias, np.zeros(15))
    h = np.zeros((len(pixels), 5))
    for row in range(28):
        z, r, g = np.split(pixels[:, row] / 255 @ w + before, 3, axis=1)
        uz, ur, ug = np.split(u, 3, axis=1)
        bz, br, bg = np.split(after, 3)
        z, r = _hard_sigmoid(z + h @ uz + bz), _hard_sigmoid(r + h @ ur + br)
        new = np.tanh(g + (r * (h @ ug + bg) if reset_after else (r * h) @ ug))
        h = z * h + (1 - z) * new
    _agree(path, pixels, softmax(h @ w2 + b2))


def test_other_number_types_and_long_name_lists(tmp_path: Path, pixels: Pixels) -> None:
    """Half and double precision, text as variable-length strings, and names cut into pieces."""
    config, weights = dense_model()
    for name, kind in (("one", "f2"), ("two", "f8")):
        weights[name] = [(n, a.astype(kind)) for n, a in weights[name]]
    path = write_h5(tmp_path / "old.h5", config, weights)
    with h5py.File(path, "a") as file:
        inner = file["model_weights/one"]
        for i, name in enumerate(inner.attrs["weight_names"]):
            inner.attrs[f"weight_names{i}"] = [name.decode()]
        del inner.attrs["weight_names"]
        text = file.attrs["model_config"]
        file.attrs["model_config"] = text if isinstance(text, str) else text.decode()
    _agree(path, pixels, _dense_answers(weights, pixels))


def test_keras_2_arithmetic_and_its_hard_sigmoid(tmp_path: Path, pixels: Pixels) -> None:
    """`x / 255.` in the code of a model; clip(0.2 x + 0.5, 0, 1), which Keras 3 changed."""
    rng = np.random.default_rng(4)
    divided = layer("TFOpLambda", "divided", function="math.truediv")
    config = {
        "class_name": "Functional",
        "config": {
            "name": "model",
            "layers": [
                node(layer("InputLayer", "in", batch_input_shape=[None, 784])),
                {
                    **node(divided),
                    "inbound_nodes": [["in", 0, 0, {"y": 127.5, "name": None}]],
                },
                node(layer("Dense", "one", units=6, activation="hard_sigmoid"), "divided"),
                node(layer("Activation", "two", activation="hard_sigmoid"), "one"),
                node(layer("Dense", "out", units=10, activation="softmax"), "two"),
            ],
            "input_layers": [["in", 0, 0]],
            "output_layers": [["out", 0, 0]],
        },
    }
    weights = {
        "one": arrays(rng, kernel=(784, 6), bias=(6,)),
        "out": arrays(rng, kernel=(6, 10), bias=(10,)),
    }
    path = write_h5(tmp_path / "old.h5", config, weights, "2.9.0")
    (w, b), (w2, b2) = ([array for _, array in weights[name]] for name in ("one", "out"))
    x = pixels.reshape(-1, 784) / 127.5 @ w + b
    for _ in range(2):
        x = np.clip(0.2 * x + 0.5, 0, 1)
    _agree(path, pixels, softmax(x @ w2 + b2))


def test_an_early_hard_sigmoid_inside_of_a_loop_is_refused(tmp_path: Path) -> None:
    config = sequential(
        layer("SimpleRNN", "one", units=3, activation="hard_sigmoid",
              batch_input_shape=[None, 28, 28]),
        layer("Dense", "out", units=10, activation="softmax"),
    )  # fmt: skip
    weights = {
        "one": arrays(np.random.default_rng(5), kernel=(28, 3), recurrent=(3, 3), bias=(3,)),
        "out": arrays(np.random.default_rng(6), kernel=(3, 10), bias=(10,)),
    }
    with pytest.raises(ModelError, match="has the hard sigmoid of Keras 1 and 2"):
        load_trusted(write_h5(tmp_path / "old.h5", config, weights, "2.4.0"))
