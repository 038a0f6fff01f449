"""Image backbones. Those of MMPose and MMDet are named by their scope (``type='mmpose.HRNet'``)."""
