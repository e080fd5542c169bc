"""Train models: presets, augmentation, fitting, calibration. Imports Keras only when it trains."""
