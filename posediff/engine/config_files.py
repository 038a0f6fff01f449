"""Find config files: by path, or by name among the packaged configs."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path

from posediff.engine.removed_configs import describe_removed

PACKAGE = Path(__file__).resolve().parents[1]
_LISTING = '`posediff configs list` shows the packaged ones'


def config_folder() -> Path:
    """Return the folder of the packaged configs: in the package, or ``configs`` of a checkout.

    Raises:
        FileNotFoundError: This installation has neither.
    """
    for folder in (PACKAGE / '.mim' / 'configs', PACKAGE.parent / 'configs'):
        if (folder / '_base_').is_dir():
            return folder
    raise FileNotFoundError(f'this installation of posediff has no configs: neither in {PACKAGE} nor beside it')


def packaged_configs() -> list[Path]:
    """Return the packaged configs, sorted, without the parts in ``_base_``."""
    folder = config_folder()
    return sorted(path for path in folder.rglob('*.py') if '_base_' not in path.relative_to(folder).parts)


def find_config(name: str | Path) -> Path:
    """Return the config file of a path, or of the name of a packaged config.

    Args:
        name: Path of a config file, or file name without ``.py`` of a packaged config: ``'mixste-c64_27f_cmu'``. If
            both exist, the path is used.

    Raises:
        FileNotFoundError: There is no such file, and no packaged config of that name or several.
    """
    if not str(name):
        raise FileNotFoundError(f'the name of the config is empty; {_LISTING}')
    path = Path(name)
    if path.is_file():
        return path
    stem = path.stem if path.suffix == '.py' else path.name
    if path.suffix == '.py' or len(path.parts) > 1:
        if not any(config.stem == stem for config in packaged_configs()):
            what = 'is a folder' if path.is_dir() else 'does not exist'
            raise FileNotFoundError(f'config {path} {what}{_suggest(stem)}')
        raise FileNotFoundError(f'config {path} does not exist; the packaged config is named without a path: {stem}')
    found = [config for config in packaged_configs() if config.stem == stem]
    if not found:
        what = 'is a folder' if path.is_dir() else 'is neither a file nor a packaged config'
        raise FileNotFoundError(f'config {name} {what}{_suggest(stem)}')
    if len(found) > 1:
        several = ', '.join(str(config) for config in found)
        raise FileNotFoundError(f'config {name}: several packaged configs have this name: {several}')
    return found[0]


def parents(config: Path) -> list[Path]:
    """Return the files that a config inherits from, directly or indirectly, each once.

    Raises:
        ValueError: ``_base_`` of a file is not a string or a list of strings.
    """
    found: list[Path] = []
    for name in _bases(config):
        path = (config.parent / name).resolve()
        found += [one for one in (path, *parents(path)) if one not in found]
    return found


def _bases(config: Path) -> list[str]:
    for statement in ast.parse(config.read_text(encoding='utf-8')).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == '_base_':
            try:
                value = ast.literal_eval(statement.value)
            except ValueError:
                raise ValueError(f'{config}: _base_ is not a literal, so its files cannot be listed') from None
            return [value] if isinstance(value, str) else list(value)
    return []


def _suggest(stem: str) -> str:
    if removed := describe_removed(f'{stem}.py'):
        return removed
    close = difflib.get_close_matches(stem, [config.stem for config in packaged_configs()], n=3, cutoff=0.6)
    return f'; did you mean {" or ".join(close)}?' if close else f'; {_LISTING}'
