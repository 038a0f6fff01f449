"""Files in and out: atomic writes, checkpoints, keypoints, results."""
