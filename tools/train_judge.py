"""Train the shipped judge again: python tools/train_judge.py [FILE]"""

from __future__ import annotations

import sys
from pathlib import Path

from digits.training.fit import Epoch, Observer
from digits.training.judge import train_judge


class Progress(Observer):
    def epoch(self, epoch: Epoch) -> None:
        accuracy = f"{epoch.val_accuracy:.2%}" if epoch.val_accuracy is not None else "-"
        print(f"epoch {epoch.epoch}: {accuracy} of validation, {epoch.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else "models/pretrained/judge.h5")
    print("wrote", train_judge(place, observer=Progress()))
