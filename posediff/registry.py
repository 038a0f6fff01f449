"""Where components are looked up by the ``type`` of their config.

Two kinds of registry live here:

* ``MODELS``, ``DATASETS``, ``TRANSFORMS``, ``METRICS``, ``HOOKS``, ``OPTIMIZERS``, ``OPTIM_WRAPPERS``,
  ``VISUALIZERS`` are children of MMEngine's roots. ``type='mmpose.TopdownPoseEstimator'`` resolves through MMEngine's
  scopes, and only then is that package imported.
* One registry per stage of the data flow (``DENOISERS``, ``SAMPLERS``, …). MMEngine allows one child per
  scope under one root, so these are roots of their own. A name with a foreign scope, such as
  ``mmpose.HRNet`` in ``BACKBONES``, is looked up in that package's ``MODELS``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mmengine import registry as mmengine_registry
from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry
from mmengine.utils import get_object_from_string

SCOPE = 'posediff'


class UnknownComponentError(KeyError):
    """A config names a component that no imported package has registered."""

    def __str__(self) -> str:  # KeyError prints the repr of its argument; a sentence reads better
        return str(self.args[0])


class BrokenPackageError(ImportError):
    """A config names a component of a package that is installed and does not import; the cause is what it raised."""


class ComponentRegistry(Registry):
    """A registry whose look-ups end in a component or in one sentence that says what to do.

    Args:
        adapters: Package name → dotted path of a function that wraps that package's class of a given name, for
            packages that have no registries of their own.
    """

    def __init__(self, *args: Any, adapters: dict[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._adapters = dict(adapters or {})
        self._imported: bool = False

    def get(self, key: str) -> Any:
        """Return the class registered as ``key``.

        Args:
            key: A registered name, ``'<package>.<name>'`` for another OpenMMLab-style package, or the
                full dotted path of a class.

        Raises:
            BrokenPackageError: The name is of a package that is installed and does not import.
            UnknownComponentError: Nothing is known by that name.
        """
        package, dot, _ = key.partition('.')
        try:
            found = self._find(key)
        except (UnknownComponentError, BrokenPackageError):
            raise
        except Exception as error:
            missing = package in self._adapters and isinstance(error, ImportError)  # says what to install
            if not dot or package == SCOPE or missing:
                raise
            raise _broken(key, self.name, package, error) from error
        if found is None:
            check_import(key, self.name)
            raise UnknownComponentError(self._explain_miss(key))
        return found

    def __contains__(self, key: str) -> bool:
        return self._find(key) is not None

    def import_from_location(self) -> None:
        """Import the modules that register the components of this registry.

        One that fails half-way cannot be imported again, since its first names are taken: the first failure is raised
        every time.
        """
        if not self._imported:
            for location in self._locations:
                import_location(location)
            self._imported = True

    def _find(self, key: str) -> Any:
        scope, name = self.split_scope_key(key)
        try:
            if scope is not None and scope in self._adapters:
                return get_object_from_string(self._adapters[scope])(name)
            if self.parent is None and scope not in (None, self.scope):
                return MODELS._find(key)
            return super().get(key)
        except RuntimeError as error:
            if str(error).startswith('Failed to get '):  # how MMEngine reports a dotted name that leads nowhere
                return None
            raise

    def _explain_miss(self, key: str) -> str:
        known = sorted(self._module_dict)
        near = difflib.get_close_matches(key, known, n=3, cutoff=0.6)
        hint = f' Did you mean {" or ".join(near)}?' if near else f' Registered: {", ".join(known) or "nothing"}.'
        return (
            f'{key!r} is not registered in {self.name} (run `posediff list {self.name}` for all).{hint} A component of '
            'your own is found once its module is named in custom_imports or its package is installed as a plugin.'
        )


_failures: dict[str, Exception] = {}
"""What modules that register components raised when they were imported."""


def import_location(module: str) -> None:
    """Import a module that registers components; one that failed before raises the same again."""
    if module in _failures:
        raise _failures[module]
    try:
        import_module(module)
    except Exception as error:  # a broken optional package raises anything, torchvision a RuntimeError
        _failures[module] = error
        raise


def check_import(key: str, kind: str) -> None:
    """Import the package that a dotted name begins with, and what it registers: look-ups pass over what that raises.

    Args:
        key: ``'<package>.<name>'``, or the dotted path of a class.
        kind: Name of the registry, for the message.

    Raises:
        BrokenPackageError: The package is installed and does not import; the message has the innermost cause.
    """
    package, _, rest = key.partition('.')
    if not (package and rest) or package == SCOPE or find_spec(package) is None:
        return
    parts = rest.split('.')[:-1]
    modules = [package, *('.'.join([package, *parts[: end + 1]]) for end in range(len(parts)))]
    if package in MODULE2PACKAGE:
        modules += [f'{package}.registry', f'{package}.models']
    for module in modules:
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            if error.name == module:
                return  # a class on the way, or a package without such a module
            raise _broken(key, kind, package, error) from error
        except Exception as error:
            raise _broken(key, kind, package, error) from error


def _broken(key: str, kind: str, package: str, error: Exception) -> BrokenPackageError:
    return BrokenPackageError(
        f'{key!r} cannot be looked up in {kind}: the package {package} is installed and does not import: '
        f'{describe(error)}. `posediff doctor` compares the versions of packages'
    )


def describe(error: BaseException) -> str:
    """The type and the message of an error, and of what it came from, in one line."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < 3:
        text = ' '.join(str(current).split())
        parts.append(f'{type(current).__name__}: {text}' if text else type(current).__name__)
        current = current.__cause__
    return ' <- '.join(dict.fromkeys(parts))


def _child(name: str, parent: Registry, *locations: str) -> ComponentRegistry:
    return ComponentRegistry(name, parent=parent, scope=SCOPE, locations=list(locations))


def _stage(name: str, *locations: str, adapters: dict[str, str] | None = None) -> ComponentRegistry:
    return ComponentRegistry(name, scope=SCOPE, locations=list(locations), adapters=adapters)


MODELS = _child('models', mmengine_registry.MODELS, 'posediff.models')
DATASETS = _child('datasets', mmengine_registry.DATASETS, 'posediff.datasets')
TRANSFORMS = _child('transforms', mmengine_registry.TRANSFORMS, 'posediff.datasets.transforms')
METRICS = _child('metrics', mmengine_registry.METRICS, 'posediff.evaluation.metrics')
HOOKS = _child(
    'hooks', mmengine_registry.HOOKS, 'posediff.engine.hooks', 'posediff.engine.log_copy', 'posediff.engine.reflow',
    'posediff.engine.consistency',
)  # fmt: skip
OPTIMIZERS = _child('optimizers', mmengine_registry.OPTIMIZERS, 'posediff.engine.muon')
OPTIM_WRAPPERS = _child('optim_wrappers', mmengine_registry.OPTIM_WRAPPERS, 'posediff.engine.optim')
VISUALIZERS = _child('visualizers', mmengine_registry.VISUALIZERS, 'posediff.visualization')

# MMEngine looks for the default scope in each of its other registries too, and warns where it has none.
for _root in (
    'RUNNERS', 'RUNNER_CONSTRUCTORS', 'LOOPS', 'DATA_SAMPLERS', 'MODEL_WRAPPERS', 'WEIGHT_INITIALIZERS',
    'OPTIM_WRAPPER_CONSTRUCTORS', 'PARAM_SCHEDULERS', 'EVALUATOR', 'TASK_UTILS', 'VISBACKENDS',
    'LOG_PROCESSORS', 'INFERENCERS', 'FUNCTIONS',
):  # fmt: skip
    _child(_root.lower(), getattr(mmengine_registry, _root))

BACKBONES = _stage('backbones', 'posediff.models.backbones')
CONDITIONERS = _stage('conditioners', 'posediff.models.conditioners')
DENOISERS = _stage('denoisers', 'posediff.models.denoisers')
NOISE_SCHEDULERS = _stage('noise_schedulers', 'posediff.diffusion.noise_schedulers')
SAMPLERS = _stage(
    'samplers',
    'posediff.diffusion.samplers',
    adapters={'diffusers': 'posediff.diffusion.samplers.diffusers_adapter.resolve'},
)
HEADS = _stage('heads', 'posediff.models.heads')
AGGREGATORS = _stage('aggregators', 'posediff.aggregation')
DETECTORS = _stage('detectors', 'posediff.detection')
POSE_ESTIMATORS = _stage('pose_estimators', 'posediff.pose_estimation')
TRACKERS = _stage('trackers', 'posediff.tracking')
SMOOTHERS = _stage('smoothers', 'posediff.smoothing')
EXPORTERS = _stage('exporters', 'posediff.export')

REGISTRIES: dict[str, ComponentRegistry] = {
    registry.name: registry
    for registry in (
        BACKBONES,
        CONDITIONERS,
        DENOISERS,
        NOISE_SCHEDULERS,
        SAMPLERS,
        HEADS,
        AGGREGATORS,
        DETECTORS,
        POSE_ESTIMATORS,
        TRACKERS,
        SMOOTHERS,
        EXPORTERS,
        MODELS,
        DATASETS,
        TRANSFORMS,
        METRICS,
        HOOKS,
        OPTIMIZERS,
        OPTIM_WRAPPERS,
        VISUALIZERS,
    )
}


def build_pipeline(pipeline: Sequence[Any]) -> list[Callable[[dict], dict]]:
    """Transforms from their configs; callables pass through."""
    return [TRANSFORMS.build(step) if isinstance(step, Mapping) else step for step in pipeline]
