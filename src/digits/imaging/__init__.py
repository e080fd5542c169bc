"""Any picture, decoded; its foreground; MNIST's geometry."""
