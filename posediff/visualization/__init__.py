"""Images of poses and tables. Matplotlib runs without a display; models and training do not import this package."""
