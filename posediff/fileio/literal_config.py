"""Read a config that consists of literals without executing it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any


def read_literal_config(path: str | Path) -> dict[str, Any]:
    """Read a Python config in which all statements are ``name = literal``; ``dict(key=literal)`` is also a literal.

    Configs written by :meth:`save_pretrained` have this form. Reading one executes no code, unlike other configs, which
    are Python programs.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not Python or has other statements; the message names the line.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f'config {file} does not exist')
    try:
        statements = ast.parse(file.read_text(encoding='utf-8'), str(file)).body
    except (SyntaxError, ValueError) as error:
        raise ValueError(f'config {file} cannot be read: {error}') from error
    values: dict[str, Any] = {}
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = _literal(value, file)
            case ast.Expr(value=ast.Constant(value=str())):
                continue  # a docstring
            case _:
                raise _refusal(statement, file)
    return values


def _literal(node: ast.expr, file: Path) -> Any:
    match node:
        case ast.Call(func=ast.Name(id='dict'), args=[], keywords=keywords) if all(entry.arg for entry in keywords):
            return {str(entry.arg): _literal(entry.value, file) for entry in keywords}
        case ast.Dict(keys=keys, values=values) if all(key is not None for key in keys):
            pairs = zip(keys, values, strict=True)
            return {_literal(key, file): _literal(value, file) for key, value in pairs if key is not None}
        case ast.List(elts=items):
            return [_literal(item, file) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_literal(item, file) for item in items)
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise _refusal(node, file) from None


def _refusal(node: ast.stmt | ast.expr, file: Path) -> ValueError:
    return ValueError(
        f'config {file}, line {node.lineno}: {ast.unparse(node)[:60]!r} is no literal; the config of a pretrained '
        'model is read and not run (posediff.init_model runs configs)'
    )
