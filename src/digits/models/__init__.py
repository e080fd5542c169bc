"""Models: families, the model file, its compiled model, trust, export; foreign Keras models."""
