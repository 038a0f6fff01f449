"""Measures of poses: pure functions on tensors here, adapters for MMEngine's evaluator in ``metrics``."""
