"""Steps between a dataset's window and a model's item. All randomness comes from ``results['rng']``."""

from posediff.datasets.transforms.packing import PackLiftingInputs

__all__ = ['PackLiftingInputs']
