"""Evaluation measures: pure functions on tensors; ``metrics`` adapts them to MMEngine's evaluator."""
