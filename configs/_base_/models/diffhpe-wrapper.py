# DiffHPE-Wrapper: CT-GCN denoiser on [w_theta(x_t), features of a frozen MixSTE].
_base_ = './diffhpe-2d.py'

model = dict(
    conditioner=dict(
        _delete_=True,
        type='FrozenLifterConditioner',
        lifter=dict(type='MixSTE', num_frames={{_base_.num_frames}}, channels=64, depth=8, num_heads=8, mlp_ratio=2.0),
        checkpoint='checkpoints/mixste-c64_27f.pth',
    ),
    denoiser=dict(condition_channels=64, pose_channels=64, dropout=0.27038),
)
