"""Every recipe beside a plain Keras script of the same, on all of MNIST: accuracy and seconds.

    python benchmarks/recipes.py [--seeds 3] [--recipes "dense classic,cnn notebook"]

Needs $DIGITS_DATA or ./data with mnist.npz. Each training is a process of its own, ours and the
plain one by turns. Seconds are those of fitting alone. The test set is looked at once, at the end
of each training, and chooses nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from results import Table, save_option

RECIPES = ("rnn classic", "dense classic", "cnn notebook", "cnn classic")


def ours(recipe: str, seed: int) -> dict[str, float]:
    from digits import train

    trained = train(*recipe.split()[:1], "mnist", preset=recipe.split()[1], seed=seed)
    return {"accuracy": trained.scores[0].accuracy, "seconds": trained.metadata.seconds}


def plain(recipe: str, seed: int) -> dict[str, float]:
    """The same recipe as a tutorial would write it."""
    import keras

    from digits import load

    mnist = load("mnist")
    (x, y), (x_test, y_test) = ((s.images / 255.0, s.labels) for s in mnist)
    y = keras.utils.to_categorical(y)
    keras.utils.set_random_seed(seed)
    model, options, callbacks = globals()["plain_" + recipe.replace(" ", "_")](keras, x, y)
    started = time.perf_counter()
    model.fit(x, y, verbose=0, callbacks=callbacks, **options)
    seconds = time.perf_counter() - started
    accuracy = (model.predict(x_test, verbose=0).argmax(1) == y_test).mean()
    return {"accuracy": float(accuracy), "seconds": seconds}


def plain_dense_classic(keras: Any, x: Any, y: Any) -> tuple[Any, dict[str, Any], list[Any]]:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, {"batch_size": 128, "epochs": 100}, []


def plain_cnn_classic(keras: Any, x: Any, y: Any) -> tuple[Any, dict[str, Any], list[Any]]:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(1024),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, {"batch_size": 32, "epochs": 5}, []


def plain_rnn_classic(keras: Any, x: Any, y: Any) -> tuple[Any, dict[str, Any], list[Any]]:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((28, 28)), layers.SimpleRNN(50), layers.Dense(10, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(0.001), "categorical_crossentropy", metrics=["accuracy"])

    class Stop(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        steps = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.steps += 1
            if self.steps % 500 == 0 and model.evaluate(x, y, verbose=0, batch_size=1000)[1] > 0.95:
                model.stop_training = True

    return model, {"batch_size": 50, "epochs": 20, "shuffle": False}, [Stop()]


def plain_cnn_notebook(keras: Any, x: Any, y: Any) -> tuple[Any, dict[str, Any], list[Any]]:
    layers = keras.layers
    fill = {"fill_mode": "constant"}
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Reshape((28, 28, 1)),
            layers.RandomRotation(10 / 360, **fill),
            layers.RandomZoom((-0.1, 0.1), (-0.1, 0.1), **fill),
            layers.RandomTranslation(0.1, 0.1, **fill),
            layers.Conv2D(16, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(36, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.RMSprop(0.001, rho=0.9), "categorical_crossentropy", metrics=["accuracy"]
    )
    slower = keras.callbacks.ReduceLROnPlateau("val_accuracy", 0.5, 3, min_lr=1e-5)
    return model, {"batch_size": 186, "epochs": 10, "validation_split": 0.05}, [slower]


def measured(kind: str, recipe: str, seed: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", kind, "--recipes", recipe, "--seeds", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipes", default=",".join(RECIPES))
    parser.add_argument("--one", choices=["ours", "plain"], help=argparse.SUPPRESS)
    save_option(parser)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.one:
        print(json.dumps(globals()[options.one](options.recipes, options.seeds)))
        return
    table = Table(
        "recipes",
        "Well-known recipes beside plain Keras scripts of the same",
        ["recipe", "accuracy, each seed", "mean", "seconds", "plain Keras: mean", "seconds",
         "ratio"],
        options.save,
    )  # fmt: skip
    for recipe in options.recipes.split(","):
        runs: dict[str, list[dict[str, float]]] = {"ours": [], "plain": []}
        for seed in range(options.seeds):
            for kind, done in runs.items():
                done.append(measured(kind, recipe, seed))
        each = " ".join(f"{run['accuracy']:.2%}" for run in runs["ours"])
        figures = [
            (
                statistics.mean(run["accuracy"] for run in done),
                statistics.median(run["seconds"] for run in done),
            )
            for done in runs.values()
        ]
        (accuracy, seconds), (other, others) = figures
        table.row(
            recipe, each, f"{accuracy:.2%}", f"{seconds:.1f}", f"{other:.2%}", f"{others:.1f}",
            f"{seconds / others:.2f}",
        )  # fmt: skip
    table.done("Median seconds of fitting alone, the two by turns.")


if __name__ == "__main__":
    main()
