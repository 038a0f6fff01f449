"""Image backbones. Those of MMPose, MMDet and MMPretrain are named by their scope (``type='mmpose.HRNet'``)."""

from posediff.models.backbones.timm_backbone import TimmBackbone

__all__ = ['TimmBackbone']
