"""References in configs: the string ``'${num_frames}'`` stands for the config's ``num_frames``.

They are resolved after inheritance and overrides, so that a value is stated once, and a leaf or ``--cfg-options``
changes it everywhere.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from mmengine.config import Config

from posediff.structures.references import REFERENCE, find_references

_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Gt: operator.gt,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {'ceil': math.ceil, 'max': max, 'min': min}


def resolve_references(cfg: Config, origin: str) -> Config:
    """Replace every reference of a config by its value.

    A reference is a whole string: ``'${train_cfg.max_epochs}'``. The braces contain a key of the config, which may be
    dotted or indexed, or an expression of such keys, numbers, strings and tuples with ``+ - * / // >``, ``ceil``,
    ``max`` and ``min``. The list item ``'*${occlusion}'`` is replaced by the items of the list ``occlusion``.

    Args:
        cfg: Config with all overrides applied. It is not changed.
        origin: Source of the config, named in error messages.

    Returns:
        A config without references; the same object if there are none.

    Raises:
        ValueError: A reference names a key that the config does not have, refers to itself or cannot be evaluated; the
            message names its key.
    """
    if next(find_references(cfg._cfg_dict), None) is None:
        return cfg
    values = cfg.to_dict()
    resolved = _Resolver(values, origin).value(values, '')
    return Config(resolved, cfg_text=cfg.text, filename=cfg.filename, env_variables=cfg.env_variables)


def enclosing_reference(cfg: Config, key: str) -> tuple[str, str] | None:
    """Return the reference that contains a dotted key, as (key of the reference, reference); None if there is none."""
    part: Any = cfg._cfg_dict
    names = key.split('.')
    for depth, name in enumerate(names[:-1], start=1):
        if isinstance(part, (list, tuple)):
            part = part[int(name)] if name.isdigit() and int(name) < len(part) else None
        else:
            part = part.get(name) if isinstance(part, dict) else None
        if isinstance(part, str) and REFERENCE.fullmatch(part):
            return '.'.join(names[:depth]), part
    return None


class _Resolver:
    """Evaluates references against the top level of one config."""

    def __init__(self, values: Mapping[str, Any], origin: str) -> None:
        self.values, self.origin = values, origin
        self.open: list[str] = []  # references in evaluation, outermost first, to detect cycles

    def value(self, part: Any, place: str) -> Any:
        """Return a copy of a part of the config with its references replaced; ``place`` is its key, for messages."""
        if isinstance(part, dict):
            return {key: self.value(item, f'{place}.{key}'.lstrip('.')) for key, item in part.items()}
        if isinstance(part, (list, tuple)):
            items: list[Any] = []
            for number, item in enumerate(part):
                found = self.value(item, f'{place}.{number}')
                if isinstance(item, str) and item.startswith('*') and REFERENCE.fullmatch(item):
                    items.extend(found)
                else:
                    items.append(found)
            return type(part)(items)
        match = REFERENCE.fullmatch(part) if isinstance(part, str) else None
        if match is None:
            return part
        found = self.evaluate(match[2], part, place)
        if match[1] and not isinstance(found, (list, tuple)):
            raise ValueError(f'{self.origin}: {place} = {part!r} needs a list, {match[2]} is {found!r}')
        return found

    def evaluate(self, expression: str, reference: str, place: str) -> Any:
        """Return the value of the expression inside a reference; ``place`` is the key of the reference."""
        if reference in self.open:
            raise ValueError(f'{self.origin}: {place} = {reference!r} refers to itself: {" -> ".join(self.open)}')
        self.open.append(reference)
        try:
            return self.node(ast.parse(expression.strip(), mode='eval').body)
        except (KeyError, IndexError, TypeError, ArithmeticError, SyntaxError) as error:
            reason = error.args[0] if error.args else type(error).__name__
            raise ValueError(f'{self.origin}: {place} = {reference!r} cannot be resolved: {reason}') from error
        finally:
            self.open.pop()

    def node(self, node: ast.expr) -> Any:
        """Return the value of a node of an expression."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Tuple):
            return tuple(self.node(item) for item in node.elts)
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
            return self.value(self.part(node), ast.unparse(node))
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](self.node(node.left), self.node(node.right))
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _OPERATORS:
            return _OPERATORS[type(node.ops[0])](self.node(node.left), self.node(node.comparators[0]))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
            return _FUNCTIONS[node.func.id](*(self.node(item) for item in node.args))
        raise TypeError(f'{ast.unparse(node)!r} is not allowed in a reference')

    def part(self, node: ast.expr) -> Any:
        """Return the unresolved value of a key; only its parents are resolved, as other parts may refer to it."""
        if isinstance(node, ast.Name):
            return self.child(self.values, node.id, node)
        if isinstance(node, ast.Attribute):
            return self.child(self.part(node.value), node.attr, node)
        if isinstance(node, ast.Subscript):
            return self.child(self.part(node.value), self.node(node.slice), node)
        raise TypeError(f'{ast.unparse(node)!r} is not a key')

    def child(self, parent: Any, key: Any, node: ast.expr) -> Any:
        """Return item ``key`` of ``parent``, which is resolved first if it is a reference."""
        if isinstance(parent, str):
            parent = self.value(parent, ast.unparse(node))
        if isinstance(parent, dict) and key not in parent:
            raise KeyError(f'the config has no {ast.unparse(node)}')
        return parent[key]
