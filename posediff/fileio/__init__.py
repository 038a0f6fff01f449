"""File input and output: atomic writes, checkpoints, keypoints, results."""
