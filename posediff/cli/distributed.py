"""Start a command in several processes with ``torch.distributed.run``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from posediff.engine.command_line import positive

ENVIRONMENT = """For several machines, run the command on each, with NNODES, NODE_RANK, MASTER_ADDR and PORT set in the
environment. Without CUDA, the processes communicate through gloo."""


def parse_launch(
    files: Sequence[str], command: str, argv: Sequence[str] | None, prog: str | None, description: str | None
) -> argparse.Namespace:
    """Parse ``FILES… GPUS [arguments of the command]``.

    Args:
        files: Names of the positional arguments before GPUS.
        command: Name of the command that every process runs, used in the help.
        argv: Arguments; those of the process if ``None``.
        prog: Name of the program in help and errors.
        description: First line of the help.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description=f'{description}\n\n{ENVIRONMENT}',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=f'%(prog)s [-h] {" ".join(map(str.upper, files))} GPUS [arguments of posediff {command}]',
    )
    for name in files:
        parser.add_argument(name, help=f'as for posediff {command}')
    parser.add_argument('gpus', type=positive, help='number of processes on this machine')
    parser.add_argument('more', nargs=argparse.REMAINDER, help=f'arguments of posediff {command}')
    return parser.parse_args(argv)


def launch(command: str, files: Sequence[str], gpus: int, more: Sequence[str]) -> None:
    """Run ``posediff COMMAND FILES --launcher pytorch MORE`` in ``gpus`` processes, and wait until all have ended."""
    from torch.distributed.run import main as run  # here, since torch delays --help

    environment = os.environ
    run([
        f'--nnodes={environment.get("NNODES", "1")}',
        f'--node_rank={environment.get("NODE_RANK", "0")}',
        f'--nproc_per_node={gpus}',
        f'--master_addr={environment.get("MASTER_ADDR", "127.0.0.1")}',
        f'--master_port={environment.get("PORT", "29500")}',
        *('-m', 'posediff', command, *files, '--launcher', 'pytorch', *more),
    ])  # fmt: skip
