"""Steps between a dataset's window and a model's item. All randomness comes from ``results['rng']``."""

from posediff.datasets.transforms.flip import LiftingRandomFlip
from posediff.datasets.transforms.occlusion import KeypointOcclusion, occlusion_mask
from posediff.datasets.transforms.packing import PackLiftingInputs

__all__ = ['KeypointOcclusion', 'LiftingRandomFlip', 'PackLiftingInputs', 'occlusion_mask']
