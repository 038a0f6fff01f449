"""Image backbones; those of MMPose, MMDet and MMPretrain have a scope prefix (``type='mmpose.HRNet'``)."""

from posediff.models.backbones.movenet import MoveNetBackbone
from posediff.models.backbones.timm_backbone import TimmBackbone

__all__ = ['MoveNetBackbone', 'TimmBackbone']
