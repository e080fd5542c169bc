"""Recipes: the hyperparameters that decide what a model is and how it is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..errors import ModelError

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd", "nadam", "adagrad")


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Random augmentation of the training images; each image draws its own values.

    The geometric fields (`rotation` to `stretch`) apply to every image, the photometric ones to the
    fraction `photometric` of them. 0 turns a field off.

    Attributes:
        rotation: Maximum angle in degrees, either way.
        zoom: Maximum change of scale; each axis is scaled by 1 ± this.
        shift: Maximum translation along each axis, as a fraction of the image side.
        shear: Maximum horizontal shear, as a slope.
        elastic: Standard deviation, in pixels, of a smooth random displacement field (after Simard,
            Steinkraus and Platt, 2003).
        stretch: Fraction of the images whose digit is stretched towards a square bounding box.
        photometric: Fraction of the images that the fields below apply to.
        stroke: Maximum growth of the stroke on each side, in pixels; it may also shrink, by up to
            half a pixel.
        neighbors: Fraction that shows the edge of another digit.
        frame: Fraction, for each axis, that shows a straight line near the edge.
        coarse: Fraction that looks upsampled from 16×16 pixels, often binarized.
        blur: Maximum weight of a 3×3 mean filter.
        contrast: Gains run from exp(-contrast) to exp(2·contrast).
        noise: Maximum standard deviation of Gaussian noise, in gray levels of 0..255.
    """

    # Geometric.
    rotation: float = 10.0
    zoom: float = 0.1
    shift: float = 0.1
    shear: float = 0.0
    elastic: float = 0.0
    stretch: float = 0.0
    # Photometric.
    photometric: float = 0.0
    stroke: float = 0.0
    neighbors: float = 0.0
    frame: float = 0.0
    coarse: float = 0.0
    blur: float = 0.0
    contrast: float = 0.0
    noise: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """Arguments of `keras.callbacks.ReduceLROnPlateau`, which watches the validation accuracy.

    Attributes:
        factor: The learning rate is multiplied by this.
        patience: Epochs without improvement before it is.
        min_learning_rate: Lower bound of the learning rate.
    """

    factor: float = 0.5
    patience: int = 3
    min_learning_rate: float = 1e-5


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to build and train a model. The loss is always categorical cross-entropy.

    Attributes:
        family: One of `models.families.FAMILIES`, or the rejector's.
        preset: Name of the recipe within its family.
        source: Where the recipe comes from, in a few words.
        architecture: Keyword arguments of the family's builder.
        optimizer: One of `OPTIMIZERS`.
        learning_rate: Initial learning rate, or the peak of the schedule with `cosine_decay`.
        optimizer_options: Further keyword arguments of the Keras optimizer.
        cosine_decay: Whether the learning rate falls to 0 along half a cosine.
        warmup_fraction: Fraction of all steps in which the rate first rises linearly from 0.
        batch_size: Images in each step.
        epochs: Passes over the training set.
        min_steps: A small training set gets more epochs, until there are this many steps.
        shuffle: Whether the training set is shuffled before each epoch.
        validation_fraction: Fraction of the training set that is held out: to calibrate, and to
            choose the best epoch (see `fit.fit`).
        generated_digits: Number of images of generated handwriting added to the training set.
        augment: Random augmentation; None for none.
        low_augmentation_epochs: Last epochs in which only half of the images are augmented.
        plateau: Reduce the learning rate on a plateau; ignored with `cosine_decay` and without
            validation images.
        until_accuracy: Stop above this accuracy, 0..1, on the validation images (on the training
            images when there are none).
        check_every: Steps between two checks of `until_accuracy`; None checks after each epoch.
        trained_layers: Number of layers with weights, from the output, that are trained; the others
            are frozen. None trains all.
        test_accuracy: Measured: mean accuracy, 0..1, on MNIST's test images (see `presets`).
        image_microseconds: Measured: training time per image and epoch on two CPU cores of 2023.
    """

    family: str
    preset: str
    source: str
    architecture: Mapping[str, Any]
    optimizer: str
    learning_rate: float
    optimizer_options: Mapping[str, float] = field(default_factory=dict)
    cosine_decay: bool = False
    warmup_fraction: float = 0.0
    batch_size: int
    epochs: int
    min_steps: int = 0
    shuffle: bool = True
    validation_fraction: float = 0.0
    generated_digits: int = 0
    augment: Augment | None = None
    low_augmentation_epochs: int = 0
    plateau: Plateau | None = None
    until_accuracy: float | None = None
    check_every: int | None = None
    trained_layers: int | None = None
    test_accuracy: float | None = None
    image_microseconds: float = 0.0

    def settings(self) -> dict[str, Any]:
        """All hyperparameters as plain JSON values, as model files store them."""
        measured = ("test_accuracy", "image_microseconds")
        return {name: value for name, value in asdict(self).items() if name not in measured}

    def for_size(self, images: int) -> Recipe:
        """The recipe for a training set of `images`, with the epochs that `min_steps` demands."""
        needed = math.ceil(self.min_steps / math.ceil(images / self.batch_size))
        return self if needed <= self.epochs else replace(self, epochs=needed)

    def estimated_seconds(self, images: int) -> float:
        """Estimated time to fit to `images` on two CPU cores of 2023."""
        return self.image_microseconds * 1e-6 * images * self.epochs

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Recipe:
        """The recipe that `settings()` described. Raises ModelError when they do not fit."""
        known = dict(settings)
        try:
            for name, kind in (("augment", Augment), ("plateau", Plateau)):
                known[name] = kind(**known[name]) if known.get(name) else None
            return cls(**known)
        except (TypeError, ValueError) as error:
            raise ModelError(
                "the model's settings are not understood", "Train it again with this version"
            ) from error


def with_overrides(recipe: Recipe, **overrides: Any) -> Recipe:
    """`recipe` with the `overrides` that are not None.

    Another optimizer drops the recipe's optimizer options; other `epochs` keep the proportion of
    low-augmentation epochs and drop `min_steps`.

    Args:
        recipe: The recipe to start from.
        overrides: Fields of `Recipe`. `augment` may also be True (the recipe's own, or the default
            `Augment`) or False (none).
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    if isinstance(given.get("augment"), bool):
        given["augment"] = (recipe.augment or Augment()) if given["augment"] else None
    if given.get("optimizer", recipe.optimizer) != recipe.optimizer:
        given["optimizer_options"] = {}
    if epochs := given.get("epochs"):
        low = round(recipe.low_augmentation_epochs * epochs / recipe.epochs)
        given.setdefault("low_augmentation_epochs", low)
        given.setdefault("min_steps", 0)
    return replace(recipe, **given)


def fine_tuning(recipe: Recipe) -> Recipe:
    """How to fine-tune a model that `recipe` has trained: its last layers, for seconds.

    The layers before them turn pixels into features that serve any handwriting. Frozen, they give
    the same features in each step, so these are computed once (Donahue et al., DeCAF, 2014), and a
    step costs a hundredth of one that trains everything.
    """
    return replace(
        recipe,
        optimizer="adam",
        learning_rate=1e-3,
        optimizer_options={},
        cosine_decay=True,
        warmup_fraction=0.0,
        batch_size=256,
        epochs=3,
        min_steps=0,
        shuffle=True,
        validation_fraction=0.05,
        generated_digits=0,
        augment=recipe.augment or Augment(),
        low_augmentation_epochs=0,
        plateau=None,
        until_accuracy=None,
        check_every=None,
        trained_layers=2,
    )
