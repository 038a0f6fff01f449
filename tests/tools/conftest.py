"""Running a tool's main function in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest


@pytest.fixture(scope='session')
def exit_code() -> Callable[[Callable[..., None], Sequence[str]], int]:
    """Call ``main`` with arguments and give the code that the process would end with."""

    def call(main: Callable[..., None], argv: Sequence[str]) -> int:
        try:
            main(argv)
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    return call
