"""Files that the installed Keras 3 wrote, compared with what it answers itself."""

from __future__ import annotations

import io
import logging
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from digits import ModelError, Recognizer, Splits, load
from digits.models._keras import import_keras
from digits.models.compile import compile_model
from digits.models.foreign.load import load_model
from digits.models.foreign.settings import ACTIVATIONS
from digits.models.trust import load_trusted
from models.foreign.keras_files import rebuilt_answers, relu, softmax

Pixels = np.ndarray


@pytest.fixture(scope="module")
def pixels(sample: Splits) -> Pixels:
    return sample["test"].images[:40]


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIGITS_CACHE", str(tmp_path / "cache"))


def _sequential(*input_shape: int) -> Callable[..., Any]:
    def build(keras: Any, *layers: Any) -> Any:
        return keras.Sequential([keras.Input(input_shape), *layers])

    return build


def _mlp(keras: Any) -> Any:
    la = keras.layers
    return _sequential(784)(
        keras,
        la.Dense(12, use_bias=False),
        la.BatchNormalization(scale=False),
        la.Activation("relu"),
        la.Dropout(0.3),
        la.GaussianNoise(0.1),
        la.LayerNormalization(),
        la.ELU(),
        la.ReLU(max_value=3.0, negative_slope=0.1),
        la.Dense(10),
        la.Softmax(),
    )


def _logits(keras: Any) -> Any:
    la = keras.layers
    model = _sequential(28, 28)(keras, la.Flatten(), la.Dense(8, "selu"), la.Dense(10))
    model.compile("adam")  # the file holds the optimizer and its weights too
    model.optimizer.build(model.trainable_variables)
    return model


def _sigmoid(keras: Any) -> Any:
    la = keras.layers
    return _sequential(28, 28)(keras, la.Flatten(), la.Dense(10, activation="sigmoid"))


def _built_late(keras: Any) -> Any:
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    model.build((None, 28, 28))
    return model


def _raw_pixels(keras: Any) -> Any:
    la = keras.layers
    return _sequential(28, 28)(
        keras, la.Rescaling(1 / 127.5, offset=-1), la.Flatten(), la.Dense(10, "softmax")
    )


def _rescaled_twice(keras: Any) -> Any:
    """It wants 0..1 all the same."""
    la = keras.layers
    return _sequential(28, 28)(
        keras, la.Rescaling(2.0, offset=-1), la.Flatten(), la.Dense(10, "softmax")
    )


def _softmax_then_shape(keras: Any) -> Any:
    la = keras.layers
    return _sequential(28, 28, 1)(
        keras,
        la.Conv2D(10, 28, activation="softmax"),
        la.Flatten(),
    )


def _convolutions(keras: Any) -> Any:
    la = keras.layers
    return _sequential(28, 28, 1)(
        keras,
        la.ZeroPadding2D(((1, 2), (0, 3))),
        la.Conv2D(6, (3, 5), strides=(2, 1), padding="same"),
        la.LeakyReLU(),
        la.SpatialDropout2D(0.2),
        la.SeparableConv2D(8, 3, depth_multiplier=2, activation="relu"),
        la.BatchNormalization(),
        la.MaxPooling2D(),
        la.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
        la.Conv2D(8, 3, dilation_rate=2, groups=2, activation="gelu", padding="same"),
        la.AveragePooling2D((2, 3), strides=1, padding="same"),
        la.GlobalAveragePooling2D(),
        la.Dense(10, activation="softmax"),
    )


def _channels_first(keras: Any) -> Any:
    """Keras on a CPU cannot run it, so `_channels_last_twin` does."""
    la, form = keras.layers, {"data_format": "channels_first"}
    return _sequential(1, 28, 28)(
        keras,
        la.Conv2D(4, 5, activation="relu", **form),
        la.BatchNormalization(axis=1),
        la.MaxPooling2D(**form),
        la.ZeroPadding2D(1, **form),
        la.DepthwiseConv2D(3, **form),
        la.Flatten(**form),
        la.Dense(10, activation="softmax"),
    )


def _channels_last_twin(keras: Any) -> Any:
    la = keras.layers
    return _sequential(1, 28, 28)(
        keras,
        la.Permute((2, 3, 1)),
        la.Conv2D(4, 5, activation="relu"),
        la.BatchNormalization(),
        la.MaxPooling2D(),
        la.ZeroPadding2D(1),
        la.DepthwiseConv2D(3),
        la.Flatten(),
        la.Dense(10, activation="softmax"),
    )


def _recurrent(keras: Any) -> Any:
    """On 7 rows, not 28: each step is built one by one."""
    la = keras.layers
    return _sequential(28, 28)(
        keras,
        la.Reshape((7, 112)),
        la.Bidirectional(la.SimpleRNN(5, return_sequences=True)),
        la.LSTM(6, return_sequences=True),
        la.GRU(5, return_sequences=True, reset_after=False, dropout=0.1),
        la.Bidirectional(la.GRU(4), merge_mode="sum"),
        la.Dense(10, activation="softmax"),
    )


def _any_number_of_rows(keras: Any) -> Any:
    la = keras.layers
    return keras.Sequential([keras.Input((None, 28)), la.LSTM(8, use_bias=False), la.Dense(10)])


def _functional(keras: Any) -> Any:
    la = keras.layers
    start = keras.Input((28, 28, 1))
    one = la.Conv2D(4, 3, padding="same", activation="relu")(start)
    two = la.Conv2D(4, 3, padding="same", activation="relu")(one)
    three = la.Concatenate()([one, la.Add()([one, two]), la.Maximum()([one, two])])
    four = la.Multiply()([three, la.Reshape((1, 1, 12))(la.GlobalMaxPooling2D()(three))])
    five = la.Concatenate(axis=-1)([one, two, three, four])
    six = la.Concatenate()([two, one, five, four, la.Conv2D(3, 1)(five)])
    end = la.Dense(10)(la.GlobalAveragePooling2D()(six))
    return keras.Model(start, la.Activation("softmax")(end))


def _dense_block(keras: Any) -> Any:
    """Everything takes from everything before it."""
    la = keras.layers
    start = keras.Input((784,))
    tensors = [la.Dense(3)(start), la.Dense(3)(start)]
    for _ in range(8):
        tensors.append(la.Dense(3, activation="relu")(la.Concatenate()(tensors)))
    return keras.Model(start, la.Dense(10, activation="softmax")(la.Average()(tensors)))


def _ensemble(keras: Any) -> Any:
    la = keras.layers
    start = keras.Input((28, 28))
    flat = la.Flatten()(start)
    heads = [la.Dense(10, activation="softmax")(flat) for _ in range(3)]
    return keras.Model(start, la.Average()(heads))


def _nested(keras: Any) -> Any:
    la = keras.layers
    body = keras.Sequential(
        [la.Dense(6, "relu"), la.BatchNormalization(), la.Dense(7)], name="body"
    )
    head = keras.Sequential([la.Dense(10), keras.Sequential([la.Softmax()])], name="head")
    return _sequential(28, 28)(
        keras,
        keras.Sequential([la.RandomRotation(0.1), la.RandomZoom(0.1)]),
        la.Flatten(),
        body,
        head,
    )


def _two_convolutions(keras: Any) -> Any:
    """Classes that come twice, which a `.keras` file tells apart by number."""
    la = keras.layers
    return _sequential(28, 28, 1)(
        keras,
        la.Conv2D(3, 3, strides=3, activation=la.LeakyReLU(negative_slope=0.2)),
        la.Conv2D(4, 3, strides=3, activation="mish"),
        la.Flatten(),
        la.Dense(9, activation=la.ReLU(max_value=2.0)),
        la.Dense(10, "softmax"),
    )


def _rows(keras: Any) -> Any:
    la = keras.layers
    normalization = la.Normalization()
    normalization.adapt(np.random.default_rng(0).uniform(0, 1, (50, 28)))
    return _sequential(28, 28)(
        keras,
        normalization,
        la.Conv1D(6, 3, padding="causal", activation="relu"),
        la.TimeDistributed(la.Dense(5, "tanh")),
        la.MaxPooling1D(2),
        la.Conv1D(4, 3, strides=2, padding="same"),
        la.GlobalAveragePooling1D(),
        la.Dense(10, "softmax"),
    )


def _standardized(keras: Any) -> Any:
    """Statistics of all values together, of each pixel, and given as numbers."""
    la = keras.layers
    pictures = np.random.default_rng(0).uniform(0, 1, (50, 28, 28))
    together, each = la.Normalization(axis=None), la.Normalization(axis=(1, 2))
    together.adapt(pictures)
    each.adapt((pictures - 0.5) * 3)
    given = la.Normalization(axis=None, mean=0.1307, variance=0.3081**2)
    return _sequential(28, 28)(keras, together, each, given, la.Flatten(), la.Dense(10, "softmax"))


def _resized(keras: Any) -> Any:
    la = keras.layers
    return _sequential(28, 28, 1)(
        keras, la.Resizing(14, 14), la.TimeDistributed(la.Flatten()), la.Flatten(),
        la.Dense(10, "softmax"),
    )  # fmt: skip


def _arithmetic(keras: Any) -> Any:
    la = keras.layers
    start = keras.Input((28, 28, 1))
    tensor = 1 - 2 * (start * 0.9 / 1.5 - 0.25) + 0.125
    tensor = la.PReLU(shared_axes=[1, 2])(la.Conv2D(3, 3, strides=3)(tensor))
    tensor = la.PReLU()(la.Flatten()(tensor))
    tensor = la.Dense(10)(tensor) + la.Dense(10)(tensor)
    return keras.Model(start, la.Softmax()(tensor))


def _activations(keras: Any) -> Any:
    la = keras.layers
    start = keras.Input((784,))
    kinds = [kind for kind in ACTIVATIONS if kind not in ("softmax", "log_sigmoid")]
    features = la.Concatenate()([la.Dense(2, kind)(start) for kind in kinds])
    return keras.Model(start, la.Dense(10, "softmax")(features))


def _shuffled(keras: Any, model: Any) -> None:
    """Weights as after training: nothing is 0 or 1."""
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if variable.path.startswith("normalization"):
            continue  # its state is not only in its weights
        low, high = (0.5, 1.5) if "variance" in variable.path else (-0.4, 0.4)
        variable.assign(rng.uniform(low, high, variable.shape))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
@pytest.mark.parametrize(
    "build",
    [
        _mlp, _logits, _sigmoid, _built_late, _raw_pixels, _rescaled_twice, _softmax_then_shape,
        _convolutions, _recurrent, _any_number_of_rows, _functional, _dense_block, _ensemble,
        _nested, _two_convolutions, _activations, _arithmetic, _rows, _resized,
        _standardized,
    ],
)  # fmt: skip
def test_keras_3(build: Callable[[Any], Any], suffix: str, tmp_path: Path, pixels: Pixels) -> None:
    keras = import_keras()
    model = build(keras)
    _shuffled(keras, model)
    path = _save(model, tmp_path / f"theirs{suffix}")
    shape = [28 if n is None else n for n in model.input_shape[1:]]
    scale = 1 if build is _raw_pixels else 255
    expected = np.asarray(model(pixels.reshape(-1, *shape).astype("f4") / scale, training=False))
    if build in (_logits, _any_number_of_rows):
        expected = softmax(expected)
    if build is _sigmoid:
        expected = expected / expected.sum(axis=1, keepdims=True)
    answers = rebuilt_answers(path, pixels)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)


def test_keras_3_channels_first(tmp_path: Path, pixels: Pixels) -> None:
    keras = import_keras()
    model, twin = _channels_first(keras), _channels_last_twin(keras)
    _shuffled(keras, model)
    weights = model.get_weights()
    twin.set_weights(weights)
    pictures = pixels[:, None].astype("f4") / 255
    expected = np.asarray(twin(pictures, training=False))
    np.testing.assert_allclose(
        rebuilt_answers(_save(model, tmp_path / "theirs.h5"), pixels), expected, atol=1e-5
    )


@pytest.mark.parametrize("shape", [(32, 32, 1), (1024,), (32, 32, 3), (28, 28, 3)])
def test_larger_pictures_and_three_channels(
    shape: tuple[int, ...], tmp_path: Path, pixels: Pixels
) -> None:
    keras = import_keras()
    la = keras.layers
    model = _sequential(*shape)(keras, la.Flatten(), la.Dense(10, "softmax"))
    _shuffled(keras, model)
    large = np.pad(pixels, ((0, 0), (2, 2), (2, 2))) if shape[0] > 28 else pixels
    channels = 3 if shape[-1] == 3 else 1
    pictures = np.repeat(large[..., None], channels, axis=3).reshape(-1, *shape) / np.float32(255)
    answers = rebuilt_answers(_save(model, tmp_path / "theirs.h5"), pixels)
    np.testing.assert_allclose(answers, np.asarray(model(pictures, training=False)), atol=1e-5)


def test_all_activations_can_be_compiled() -> None:
    model = _activations(import_keras())
    assert compile_model(_with_pixels(model))


def _with_pixels(model: Any) -> Any:
    keras = import_keras()
    start = keras.Input((28, 28))
    return keras.Model(start, model(keras.layers.Reshape((784,))(start)))


@pytest.mark.parametrize(("high", "inverted"), [(1, False), (255, False), (1, True), (255, True)])
def test_the_input_that_a_model_was_trained_on_is_found(
    high: int, inverted: bool, tmp_path: Path, sample: Splits, caplog: pytest.LogCaptureFixture
) -> None:
    """A least squares fit to pixels of that kind: no training, and it reads most digits."""
    keras = import_keras()
    train, test = sample["train"], sample["test"]

    def seen(images: Pixels) -> Pixels:
        values = images.reshape(-1, 784) / np.float32(255)
        return (1 - values if inverted else values) * np.float32(high)

    model = _sequential(784)(keras, keras.layers.Dense(10, "softmax"))
    values = np.column_stack([seen(train.images), np.ones(len(train))])
    ridge = values.T @ values + 10 * high**2 * np.eye(785)
    weights = np.linalg.solve(ridge, values.T @ np.eye(10)[train.labels]) * 5
    model.set_weights([weights[:-1], weights[-1]])
    with caplog.at_level(logging.INFO):
        file = load_trusted(_save(model, tmp_path / "theirs.h5"))
    assert file.metadata.inputs is not None
    used = next(iter(file.metadata.inputs))
    assert used == (f"{high} to 0" if inverted else f"0 to {high}")
    assert file.metadata.inputs[used] > 0.7
    assert (f"takes pixels from {used}" in caplog.text) == (used != "0 to 1")
    images = test.images[:200]
    expected = np.asarray(model(seen(images), training=False))
    answers = Recognizer(tmp_path / "theirs.h5").probabilities(images)
    np.testing.assert_allclose(answers, expected, atol=1e-4)
    again = load_model(tmp_path / "theirs.h5")
    np.testing.assert_allclose(np.asarray(again(images.astype("f4"))), expected, atol=1e-4)


def test_a_model_that_answers_by_chance_is_said_to(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keras = import_keras()
    model = _sequential(784)(keras, keras.layers.Dense(10, "softmax"))
    model.set_weights([np.zeros((784, 10)), np.eye(10)[3]])
    with caplog.at_level(logging.WARNING):
        load_trusted(_save(model, tmp_path / "theirs.h5"))
    assert "answers by chance: it reads 10% of the embedded digits" in caplog.text


def test_weights_alone_are_named(tmp_path: Path) -> None:
    model = _built_late(import_keras())
    model.save_weights(tmp_path / "mine.weights.h5")
    with pytest.raises(ModelError, match="the file holds weights only"):
        load_trusted(tmp_path / "mine.weights.h5")


def _zip(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, b"nothing")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.tflite", b"\x1c\0\0\0TFL3", "a LiteRT"),
        ("a.onnx", b"\x08\x08", "an ONNX model"),
        ("a.pt", _zip("a/data.pkl"), "PyTorch or pickle"),
        ("a.zip", _zip("readme.txt"), "zip archive, but not a .keras file"),
        ("a.pth", b"\x80\x02", "PyTorch or pickle"),
        ("saved_model.pb", b"\x08\x01", "SavedModel"),
    ],
)
def test_other_kinds_of_model_are_named(
    name: str, content: bytes, says: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=says):
        load_trusted(tmp_path / name)


def _save(model: Any, path: Path) -> Path:
    model.save(path)
    return path


@pytest.mark.parametrize("build", [_sigmoid, _channels_first, _recurrent])
def test_a_recognizer_compiles_once(
    build: Callable[[Any], Any],
    tmp_path: Path,
    pixels: Pixels,
    caplog: pytest.LogCaptureFixture,
) -> None:
    keras = import_keras()
    model = build(keras)
    _shuffled(keras, model)
    path = _save(model, tmp_path / "theirs.h5")
    with caplog.at_level(logging.INFO):
        first = Recognizer(path).probabilities(pixels)
        assert "compiling" in caplog.text
        caplog.clear()
        assert (Recognizer(path).probabilities(pixels) == first).all()
        assert "compiling" not in caplog.text
    np.testing.assert_allclose(first, rebuilt_answers(path, pixels), atol=1e-4)


@pytest.mark.heavy
def test_a_model_of_keras_2_scores_what_its_weights_say() -> None:
    folder = Path(os.environ.get("DIGITS_DATA", ""))
    path = folder / "seed-models" / "DenseModel.h5"
    if not os.environ.get("DIGITS_DATA") or not path.is_file():
        pytest.skip("needs a real model of Keras 2: $DIGITS_DATA/seed-models/DenseModel.h5")
    data = (load("mnist") if (folder / "mnist.npz").is_file() else load("sample"))["test"]
    with h5py.File(path) as file:
        group = file["model_weights"]
        w = [
            [group[f"dense_{i}/dense_{i}/{kind}:0"][()] for kind in ("kernel", "bias")]
            for i in (1, 2, 3)
        ]
    x = data.images.reshape(-1, 784) / 255
    x = relu(x @ w[0][0] + w[0][1])
    x = relu(x @ w[1][0] + w[1][1])
    expected = softmax(x @ w[2][0] + w[2][1])
    answers = Recognizer(path).probabilities(data.images)
    np.testing.assert_allclose(answers, expected, atol=1e-4)
    assert (answers.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert (answers.argmax(axis=1) == data.labels).mean() > 0.95
