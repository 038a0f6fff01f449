"""Components from other installed packages."""

from posediff.plugins.entry_points import (
    GROUP,
    PluginError,
    describe_clash,
    find_plugins,
    import_components,
    load_plugins,
    registered_by,
)

__all__ = [
    'GROUP',
    'PluginError',
    'describe_clash',
    'find_plugins',
    'import_components',
    'load_plugins',
    'registered_by',
]
