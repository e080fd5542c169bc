"""From a picture to its answer."""
