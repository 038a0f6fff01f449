"""Write generated motion as the files of CMUMocapDataset: a data set for one step of training, without a download."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from posediff.datasets.converters.cmu import draw_clip_cameras
from posediff.datasets.mocap import VALIDATION_SUBJECTS
from posediff.datasets.mocap_files import MocapClip, save_subject
from posediff.synthetic.motion_source import GENERATED_FPS, GeneratedMotion

folder = Path(sys.argv[1])
folder.mkdir(parents=True)
rng = np.random.default_rng(0)
for subject in ('01', *VALIDATION_SUBJECTS):
    motion = GeneratedMotion(seed=0).draw(rng, 'train', seconds=2.0)
    joints = (motion.joints / 1000).astype(np.float32)  # metres, z up
    cameras = draw_clip_cameras(joints, f'{subject}_01', 'wild', 1, seed=0)
    clip = MocapClip(f'{subject}_01', subject, motion.action, motion.action, joints, cameras)
    save_subject(folder / f'{subject}.npz', [clip], fps=GENERATED_FPS, seed=0, preset='wild')
