"""The diffusion core: noise schedulers, prediction types, samplers, hypotheses.

Nothing in this folder knows whether the state is a clip of 3D joints (N, T, K, 3) or a heatmap (N, K, H, W): every
function takes states of any rank whose leading axis is N.
"""
