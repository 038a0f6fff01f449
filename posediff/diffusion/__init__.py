"""Gaussian paths (noise schedulers), prediction types, samplers, training times and weights, and noise.

All functions take states of any shape with the leading axis N: clips of 3D joints (N, T, K, 3), heatmaps (N, K, H, W).
"""
