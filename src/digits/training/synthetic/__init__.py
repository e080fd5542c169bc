"""Generated training images."""
