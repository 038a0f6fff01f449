"""DiffHPE-2D on CMU motion, 27 frames, with the denoiser JointTimeMixer of this package."""

_base_ = ['../../../configs/lifting_3d/diffhpe/diffhpe-2d_27f_cmu.py']

custom_imports = dict(imports=['posediff_mixer'], allow_failed_imports=False)

model = dict(denoiser=dict(_delete_=True, type='JointTimeMixer', num_frames=27, num_joints=17, condition_channels=5))
