"""Exporter of C3D, the binary marker format of motion capture, with the library ezc3d."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from posediff.export.base import BaseExporter
from posediff.export.motion import Motion
from posediff.fileio.atomic_files import atomic_write
from posediff.registry import EXPORTERS
from posediff.structures.component_choices import CommandLineChoice

RESIDUAL_STEP = 0.004  # m
SCALE_OFFSET = 12  # bytes, of the scale factor in the header
MAX_FRAMES = 65535  # the header counts them in 16 bits; ezc3d silently drops the rest


@EXPORTERS.register_module(name='c3d')
class C3DExporter(BaseExporter):
    """C3D, the binary marker format of motion capture."""

    command_line = (CommandLineChoice('c3d', 'markers for motion capture software, metres, y up'),)
    suffix = '.c3d'

    def __call__(self, motion: Motion, path: Path) -> dict[str, Any]:
        """Write marker positions in metres, y up.

        The first frame of the header is the frame of the video, counted from 1, if the last one fits into 16 bits;
        otherwise frames count from 1. ``POSEDIFF:START_FRAME`` (from 0) and ``POSEDIFF:START_TIME_S`` always state
        where in the video the person appears. Unknown joints are invalid points (residual -1). The residual of all
        others is the radius in metres that holds 90 % of the hypotheses, 0 where it is not known; the format has one
        byte for it: steps of 4 mm up to 1.02 m, larger ones are written as 1.02 m. The first camera mask
        marks the joints that the camera saw. The parameter group ``POSEDIFF`` holds ``SKELETON``, ``TRACK_ID``,
        ``POSITIONS``, ``UP_SOURCE``, ``UP_NOTE`` (its first 250 characters) and ``UP_CAMERA_AXES``.

        Args:
            motion: The motion.
            path: Output file.

        Returns:
            Description of the file.

        Raises:
            ImportError: ezc3d is not installed.
            ValueError: The clip has more frames than the format supports.
        """
        try:
            import ezc3d
        except ImportError as error:
            raise ImportError(
                f"C3D files are written by the package ezc3d: pip install 'posediff[export]' ({error})"
            ) from error
        if motion.num_frames > MAX_FRAMES:
            raise ValueError(f'a C3D file holds at most {MAX_FRAMES} frames, the motion has {motion.num_frames}')
        motion = motion.with_up()
        on_clock = motion.first_frame + motion.num_frames <= MAX_FRAMES
        first = motion.first_frame if on_clock else 0
        positions = motion.y_up_metres().transpose(2, 1, 0)
        file = ezc3d.c3d()
        file['header']['points']['first_frame'] = first  # from 0 here, from 1 in the file
        point = file['parameters']['POINT']
        point['RATE']['value'] = [float(motion.fps)]
        point['UNITS']['value'] = ['m']
        point['LABELS']['value'] = list(motion.joint_names)
        point['DESCRIPTIONS']['value'] = [f'{motion.skeleton.name} {name}' for name in motion.joint_names]
        if motion.radius_90 is not None:  # the factor of residuals; negative: coordinates are floats without it
            point['SCALE']['value'] = [-RESIDUAL_STEP]
        for screen, axis in (('X_SCREEN', '+X'), ('Y_SCREEN', '+Y')):
            file.add_parameter('POINT', screen, [axis])
        about = {
            'SKELETON': [motion.skeleton.name],
            'TRACK_ID': [int(motion.track_id)],
            'POSITIONS': ['absolute' if motion.absolute else 'root-relative'],
            'UP_SOURCE': [motion.up_source],
            'UP_NOTE': [motion.up_note[:250]],
            'UP_CAMERA_AXES': np.asarray(motion.up).tolist(),
            'START_FRAME': [int(motion.first_frame)],
            'START_TIME_S': [float(motion.clock[0])],
        }
        for key, value in about.items():
            file.add_parameter('POSEDIFF', key, value)
        file['data']['points'] = np.concatenate([positions, np.ones_like(positions[:1])])
        masks = np.zeros((7, *motion.known.T.shape), dtype=bool)
        radius = np.zeros(masks.shape[1:]) if motion.radius_90 is None else np.nan_to_num(motion.radius_90.T / 1000)
        masks[0] = motion.seen.T
        file['data']['meta_points'] = {
            'residuals': np.where(motion.known.T, radius.clip(max=255 * RESIDUAL_STEP), -1.0)[None],
            'camera_masks': masks,
        }
        with atomic_write(path) as temporary:
            file.write(str(temporary))
            if motion.radius_90 is not None:  # ezc3d writes -1 there, and readers check that both are the same
                with temporary.open('r+b') as written:
                    written.seek(SCALE_OFFSET)
                    written.write(struct.pack('<f', -RESIDUAL_STEP))
        counted = 'the frame of the video from 1' if on_clock else f'frame {motion.first_frame} of the video from 0'
        return {
            'unit': 'm',
            'axes': 'right-handed, y up',
            'gaps': 'invalid points, residual -1',
            'start': f'first frame {first + 1}, {counted}',
        }
