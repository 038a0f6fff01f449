"""Command-line names and options of components, declared by the components."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from posediff.registry import ComponentRegistry

Config = dict[str, Any]


@dataclass(frozen=True)
class Chosen:
    """The user's choice of a component.

    Attributes:
        value: The text that the user gave; for a choice with a placeholder, only the text in its place.
        checkpoint: Weights: a file, a URL or ``'random'``; None if not given.
        device: Device of the component.
        image_names: Image names, in order, if the video is a folder of images.
    """

    value: str
    checkpoint: str | None
    device: str
    image_names: tuple[str, ...] = ()


def _no_arguments(chosen: Chosen) -> Config:
    return {}


def _no_names() -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class CommandLineChoice:
    """A command-line name, or pattern of names, of a component.

    A component lists its choices in the class attribute ``command_line``. It is not inherited: a
    subclass registered under its own name declares its own choices.

    Attributes:
        name: Displayed name: a plain word, ``mediapipe``, or with a placeholder at the end, ``mmdet:<config>``.
        help: One sentence for ``--help``, without a full stop.
        arguments: Returns the component's arguments, without ``type``, for the user's choice.
        checkpoint: Whether the component takes a checkpoint.
        suffixes: If given, the choice matches any file with one of these suffixes; ``name`` is only displayed.
        names: Returns words that a choice with suffixes also matches, e.g. names of packaged files.
        options: Name of each constructor argument that the user may set → one sentence for ``--help``, without a full
            stop.
    """

    name: str
    help: str
    arguments: Callable[[Chosen], Config] = _no_arguments
    checkpoint: Literal['no', 'optional', 'required'] = 'no'
    suffixes: tuple[str, ...] = ()
    names: Callable[[], Sequence[str]] = _no_names
    options: Mapping[str, str] = field(default_factory=dict)

    def value(self, text: str) -> str | None:
        """Return :attr:`Chosen.value` if ``text`` is this choice, else None."""
        prefix, placeholder, _ = self.name.partition('<')
        if self.suffixes:
            return text if Path(text).suffix.lower() in self.suffixes or text in self.names() else None
        if placeholder:
            return text.removeprefix(prefix) if text.startswith(prefix) else None
        return text if text == self.name else None

    @property
    def rank(self) -> int:
        """Order in which choices are tried: words, then prefixes, then suffixes."""
        return 2 if self.suffixes else int('<' in self.name)


def command_line_choices(registry: ComponentRegistry) -> dict[str, tuple[str, CommandLineChoice]]:
    """Collect the choices of all registered components; load plugins first to include theirs.

    Returns:
        Name of a choice → registered name of its component, and the choice.

    Raises:
        ValueError: Two components declare the same name.
    """
    registry.import_from_location()
    found: dict[str, tuple[str, CommandLineChoice]] = {}
    for component, registered in registry.module_dict.items():
        for choice in vars(registered).get('command_line', ()):
            if choice.name in found:
                raise ValueError(f'{found[choice.name][0]} and {component} both declare the choice {choice.name!r}')
            found[choice.name] = component, choice
    return found


def choices_help(registry: ComponentRegistry) -> str:
    """Return the text for ``--help``: one line per choice, with its name and its sentence, then one per option."""
    choices = sorted((choice for _, choice in command_line_choices(registry).values()), key=lambda choice: choice.rank)
    width = max(len(choice.name) for choice in choices)
    lines = []
    for choice in choices:
        lines.append(f'  {choice.name:<{width}}  {choice.help}')
        lines += [f'  {"":<{width}}    {option}=…: {text}' for option, text in choice.options.items()]
    return '\n'.join(lines)


def component_config(
    registry: ComponentRegistry,
    flag: str,
    text: str,
    checkpoint: str | None = None,
    device: str = 'cpu',
    options: Sequence[str] = (),
    image_names: Sequence[str] = (),
) -> Config:
    """Return the config of the component chosen by the user.

    Args:
        registry: Registry of the stage.
        flag: Flag of the choice, e.g. ``'--detector'``; the checkpoint's is ``<flag>-checkpoint``, that of the options
            ``<flag>-options``.
        text: Value of the flag.
        checkpoint, device: See :class:`Chosen`.
        options: ``NAME=VALUE`` of each option, the value a Python literal or a plain word.
        image_names: See :class:`Chosen`.

    Raises:
        ValueError: No component has this choice, the checkpoint is missing or not used, or the choice does not have
            an option.
    """
    choices = command_line_choices(registry)
    for component, choice in sorted(choices.values(), key=lambda found: found[1].rank):
        value = choice.value(text)
        if value is None:
            continue
        if choice.checkpoint == 'no' and checkpoint is not None:
            raise ValueError(f'{flag}-checkpoint {checkpoint} has no use: {flag} {text} takes no checkpoint')
        if choice.checkpoint == 'required' and checkpoint is None:
            raise ValueError(f"{flag} {text} needs {flag}-checkpoint (or 'random')")
        chosen = Chosen(value, checkpoint, device, tuple(image_names))
        return {
            'type': component,
            **choice.arguments(chosen),
            **_option_values(f'{flag}-options', f'{flag} {text}', choice, options),
        }
    *others, last = choices
    words = [word for name, (_, choice) in choices.items() for word in (name, *choice.names())]
    near = difflib.get_close_matches(text, words, n=1, cutoff=0.8)
    hint = f'; did you mean {near[0]}?' if near else ''
    raise ValueError(f'{flag} {text} is neither {", ".join(others)} nor {last}{hint}')


def options_by_choice(registry: ComponentRegistry, flag: str, assignments: Sequence[str]) -> dict[str, Config]:
    """Parse options of several components of one stage.

    Args:
        registry: Registry of the stage; names of choices are registered names.
        flag: Flag of the options, for messages.
        assignments: ``CHOICE.NAME=VALUE``, e.g. ``'bvh.scale=100'``.

    Returns:
        Name of a choice → constructor arguments.

    Raises:
        ValueError: An assignment has another form, or the choice does not declare the option.
    """
    choices = {name: choice for name, (_, choice) in command_line_choices(registry).items()}
    values: dict[str, Config] = {}
    for assignment in assignments:
        name, dot, option = assignment.partition('.')
        if not dot or name not in choices:
            raise ValueError(f'{flag} {assignment}: expected CHOICE.NAME=VALUE, with one of {", ".join(choices)}')
        values.setdefault(name, {}).update(_option_values(flag, name, choices[name], [option]))
    return values


def _option_values(flag: str, text: str, choice: CommandLineChoice, given: Sequence[str]) -> Config:
    values: Config = {}
    for assignment in given:
        name, equals, value = assignment.partition('=')
        if not equals or name not in choice.options:
            known = ', '.join(choice.options) or 'none'
            raise ValueError(f'{flag} {assignment}: expected NAME=VALUE with an option of {text}, which are: {known}')
        try:
            values[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):  # a word without quotes
            values[name] = value
    return values
