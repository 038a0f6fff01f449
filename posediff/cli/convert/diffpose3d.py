"""Convert a released checkpoint of DiffPose for 3D poses (Gong et al., CVPR 2023), or of its lifter.

posediff convert diffpose3d diffpose_uvxyz_cpn.pth DESTINATION --lifter gcn_xyz_cpn.pth
posediff convert diffpose3d gcn_xyz_cpn.pth DESTINATION --config graformer_1f_h36m

The code of DiffPose is under the MIT License; its weights were trained on Human3.6M, which is for research only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from posediff.cli.arguments import command_parser
from posediff.engine.command_line import add_cfg_options, one_line_errors
from posediff.integrations.diffpose3d_checkpoints import LICENCE, convert_diffpose3d_checkpoint


def parse_args(argv: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    parser = command_parser(prog, __doc__)
    parser.add_argument('source', type=Path, help='official checkpoint of the denoiser, or of the lifter')
    parser.add_argument(
        'destination', type=Path, help='checkpoint to write, for posediff.init_model(CONFIG, DESTINATION)'
    )
    parser.add_argument('--lifter', type=Path, help='official checkpoint of the lifter that the denoiser starts from')
    parser.add_argument(
        '--config',
        type=Path,
        default=Path('diffpose3d_1f_h36m'),
        help='config file, or name of a packaged config, of the model that the weights belong to; default: %(default)s',
    )
    parser.add_argument('--ema', action='store_true', help='take the averaged weights (the official code does not)')
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    args = parse_args(argv, prog)
    with one_line_errors():
        written = convert_diffpose3d_checkpoint(
            args.source, args.destination, args.config, args.lifter, args.cfg_options, args.ema
        )
    print(f'wrote {args.destination}: {written} tensors, for {args.config}')
    sys.stderr.write(f'warning: {LICENCE}\n')
