"""Plugins: finding them, checking their manifest and hooks, and keeping their failures to themselves.

A plugin is a folder with ``plugin.yaml``, in the plugins folder of the settings or in a Python package that names itself
under the entry-point group ``loopbaandossier.plugins``. One with a fault is disabled and keeps its faults, so that the
office page and ``flask plugins check`` can name them; the program runs on without it. The areas that plugins bring are
checked one floor up, by ``schemes.loader``.
"""

import ast
import copy
import hashlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, get_args

from app.config import Settings
from app.errors import DomainError, TemplateFault, Text
from app.plugin_api import (
    API_VERSION,
    HOOKS,
    PLUGIN_WIDGETS,
    Block,
    Facts,
    Finding,
    ListBlock,
    Paragraph,
    QuestionType,
    Receipt,
    Run,
    Table,
)
from app.texts import LANGUAGES, both
from app.yaml_lines import Document, read, shown_file

ENTRY_POINTS = "loopbaandossier.plugins"
KINDS = ("specialisation", "extension")
ID = re.compile(r"[a-z][a-z0-9_]{1,39}")
MOST_NOTED = 100
ID_RULE = "a lower-case letter, then 1 to 39 lower-case letters, digits or underscores"

_DEFAULTS: Mapping[str, Any] = {"question_types": {}, "check_dossier": []}
"""Hooks that a faulty plugin simply no longer adds to. For the others nothing may be left out in silence: they raise."""


class PluginFailed(DomainError):
    """A plugin that is needed does not work. ``details['plugin']`` is its id."""


@dataclass(frozen=True)
class Noted:
    """That a hook failed while people worked: what kind of error, and where. Never its words, which may hold answers."""

    hook: str
    kind: str
    place: str


@dataclass(eq=False)
class Plugin:
    """One plugin as found. ``manifest`` is None when it could not be read; then ``id`` is the folder's name.

    ``faults`` are texts for authors, in English, with the place where code raised; only ``fail`` adds to them. ``noted`` is
    what is to be written down for the office (``plugin_faults.keep``).
    """

    id: str
    folder: Path
    title: Text
    version: str = ""
    kind: str = ""
    extends: tuple[str, ...] = ()
    manifest: Document | None = None
    hooks: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    hooks_sha256: str = ""
    faults: tuple[str, ...] = ()
    noted: list[Noted] = field(default_factory=list)

    @property
    def enabled(self) -> bool:
        return not self.faults

    @property
    def hooks_are_known(self) -> bool:
        """Whether ``hooks`` says what the plugin does: it works, or did until a hook failed. Else it never got that far."""
        return self.enabled or bool(self.hooks)


def find_plugins(settings: Settings) -> tuple[Plugin, ...]:
    """Every plugin there is, by id, the faulty ones too; runs their ``hooks.py``. Of two with one id the later is disabled."""
    plugins: dict[str, Plugin] = {}
    second: list[Plugin] = []
    for name, folder, problem in (*_folders(settings.plugins_dir), *_installed()):
        if name in plugins:
            problem = f"{shown_file(folder)}: id: {name!r} is taken by {shown_file(plugins[name].folder)}"
            second.append(Plugin(id=name, folder=folder, title=_title(name), faults=(problem,)))
        elif problem:
            plugins[name] = Plugin(id=name, folder=folder, title=_title(name), faults=(problem,))
        else:
            plugins[name] = _load(name, folder)
    return tuple(sorted([*plugins.values(), *second], key=lambda plugin: plugin.id))


def fail(plugin: Plugin, fault: str) -> None:
    """Disables the plugin and keeps why."""
    if fault not in plugin.faults:
        plugin.faults += (fault,)


def call_hook(plugin: Plugin, name: str, *args: Any) -> Any:
    """What the plugin's hook gives. A plugin without the hook gives what ``plugin_api`` gives by default.

    One that raises or gives something else is disabled. Then ``question_types`` and ``check_dossier`` give nothing, but
    ``document_blocks`` and ``deliver`` raise ``PluginFailed``: leaving out content or a delivery must not go unnoticed.
    """
    if plugin.hooks_are_known and name not in plugin.hooks and name != "deliver":
        return HOOKS[name](*args)
    try:
        if not plugin.enabled or name not in plugin.hooks:
            raise PluginFailed(_not_working(plugin), plugin=plugin.id)
        return guarded_call(plugin, f"hooks.py: {name}", plugin.hooks[name], _FITS[name], *args)
    except PluginFailed:
        if name in _DEFAULTS:
            return _DEFAULTS[name]
        raise


def guarded_call(plugin: Plugin, place: str, function: Callable[..., Any], fits: Callable[[Any], bool], *args: Any) -> Any:
    """``function(*args)`` of a plugin, on copies of them.

    Disables the plugin and raises ``PluginFailed`` when it raises or the result does not fit.
    """
    try:
        result = function(*copy.deepcopy(args))
        if fits(result):
            return result
        note(plugin, place, f"gave {type(result).__name__}", "")
        fail(plugin, f"{place} gave {_kind(result)}; see plugin_api for what it must give")
    except Exception as error:
        note_error(plugin, place, error)
        fail(plugin, f"{place} raised {type(error).__name__}\n{place_of(error)}")
    raise PluginFailed(_not_working(plugin), plugin=plugin.id)


def note(plugin: Plugin, hook: str, kind: str, place: str) -> None:
    """Remembers a failure until somebody writes it down; a process that fails on and on does not fill its memory with it."""
    if len(plugin.noted) < MOST_NOTED:
        plugin.noted.append(Noted(hook[:80], kind[:80], place))


def note_error(plugin: Plugin, hook: str, error: BaseException) -> None:
    note(plugin, hook, type(error).__name__, place_of(error))


def place_of(error: BaseException) -> str:
    """File, line and function of each step to where it was raised, a line each. Not the error's words: they may hold answers."""
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first is ours
    return "\n".join(f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames)


def is_blocks(result: Any) -> bool:
    """Whether a result is a list of document blocks, made of what blocks are made of."""
    return isinstance(result, list | tuple) and all(isinstance(item, get_args(Block)) and _is_made_well(item) for item in result)


def _is_made_well(block: Block) -> bool:
    match block:
        case Paragraph(runs=runs):
            return _is_runs(runs)
        case ListBlock(items=items):
            return all(_is_runs(runs) for runs in items)
        case Facts(rows=rows):
            return all(isinstance(label, str) and _is_runs(runs) for label, runs in rows)
        case Table(header=header, rows=rows, totals=totals):
            texts = all(isinstance(title, str) for title in header)
            return texts and all(_is_runs(cell) for row in (*rows, totals) for cell in row)
    return True


def _is_runs(runs: Any) -> bool:
    return isinstance(runs, tuple) and all(isinstance(run, Run) and isinstance(run.text, str) for run in runs)


def _is_findings(result: Any) -> bool:
    return isinstance(result, list | tuple) and all(isinstance(item, Finding) and _is_text(item.text) for item in result)


def _is_text(text: Any) -> bool:
    return isinstance(text, Mapping) and all(isinstance(text.get(language), str) for language in LANGUAGES)


def _is_types(result: Any) -> bool:
    return isinstance(result, Mapping) and all(
        isinstance(item, QuestionType)
        and item.name == name
        and item.widget in PLUGIN_WIDGETS
        and all(callable(function) for function in (item.read, item.check, item.blocks, item.summary, item.is_empty))
        for name, item in result.items()
    )


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "question_types": _is_types,
    "check_dossier": _is_findings,
    "document_blocks": is_blocks,
    "deliver": lambda result: isinstance(result, Receipt),
}


def _not_working(plugin: Plugin) -> Text:
    return both("De uitbreiding “%(title)s” werkt nu niet. Neem contact op met het secretariaat.", title=plugin.title)


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:79] + "…"


def _kind(value: Any) -> str:
    """What a result is, without what is in it."""
    return f"{type(value).__name__} with {len(value)} items" if isinstance(value, list | tuple | dict) else type(value).__name__


def _title(name: str) -> Text:
    return dict.fromkeys(LANGUAGES, name)


# --- finding -------------------------------------------------------------------------------------------------------


def _folders(plugins_dir: Path) -> Iterator[tuple[str, Path, str]]:
    """Name, folder and, when there is no plugin in it, the problem."""
    if not plugins_dir.is_dir():
        return
    for folder in sorted(plugins_dir.iterdir()):
        if folder.is_dir() and not folder.name.startswith((".", "_")):
            missing = not (folder / "plugin.yaml").is_file()
            yield folder.name, folder, f"{shown_file(folder)}: the folder has no plugin.yaml" if missing else ""


def _installed() -> Iterator[tuple[str, Path, str]]:
    """The same for installed packages; only the packages around a plugin's folder are imported to find it."""
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            yield point.name, _folder_of(point), ""
        except Exception:
            yield point.name, Path(), f"entry point {point.name} = {point.value} has no plugin\n{traceback.format_exc()}"


def _folder_of(point: EntryPoint) -> Path:
    spec = importlib.util.find_spec(point.module)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"there is no module {point.module}")
    folder = Path(spec.origin).parent
    if not (folder / "plugin.yaml").is_file():
        raise FileNotFoundError(f"{folder} has no plugin.yaml")
    return folder


def _load(name: str, folder: Path) -> Plugin:
    try:
        manifest = read(folder / "plugin.yaml")
    except TemplateFault as fault:
        return Plugin(id=name, folder=folder, title=_title(name), faults=(str(fault),))
    faults = [str(fault) for fault in check_manifest(manifest)]
    data = manifest.data if isinstance(manifest.data, dict) else {}
    plugin = Plugin(
        id=name,
        folder=folder,
        title=data["title"] if _is_text(data.get("title")) else _title(name),
        manifest=manifest,
        faults=tuple(faults),
    )
    if faults:
        return plugin
    plugin.version, plugin.kind, plugin.extends = data["version"], data["kind"], tuple(data["extends"])
    if data["id"] != name:
        fail(
            plugin,
            str(manifest.fault(f"found {data['id']!r}; it must be the name of the folder or entry point, {name!r}", ("id",))),
        )
    if plugin.enabled and (folder / "hooks.py").exists():
        _load_hooks(plugin, folder / "hooks.py")
    return plugin


# --- the manifest --------------------------------------------------------------------------------------------------


def check_manifest(manifest: Document) -> list[TemplateFault]:
    """Everything that is wrong with a ``plugin.yaml``."""
    data = manifest.data
    if not isinstance(data, dict):
        return [manifest.fault(f"found {_short(data)}; a mapping is needed")]
    faults = [manifest.fault(f"unknown key; allowed are {', '.join(_MANIFEST)}", (key,)) for key in data if key not in _MANIFEST]
    for key, (required, allowed, fits) in _MANIFEST.items():
        if key not in data:
            if required:
                faults.append(manifest.fault(f"is missing; needed is {allowed}", (key,)))
        elif not fits(data[key]):
            faults.append(manifest.fault(f"found {_short(data[key])}; allowed is {allowed}", (key,)))
    return faults


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and ID.fullmatch(value) is not None


def _is_both(value: Any) -> bool:
    return _is_text(value) and set(value) == set(LANGUAGES) and all(text.strip() for text in value.values())


def _is_group(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"id", "title"} and _is_id(value["id"]) and _is_both(value["title"])


def _is_check(value: Any) -> bool:
    """What the office reads where it checks the entry text, and which answers it sees there."""
    return (
        isinstance(value, dict)
        and set(value) == {"explanation", "shows"}
        and _is_both(value["explanation"])
        and isinstance(value["shows"], list)
        and value["shows"] != []
        and all(isinstance(name, str) for name in value["shows"])
    )


_TEXT = "a text {nl: …, en: …}"
_MANIFEST: Mapping[str, tuple[bool, str, Callable[[Any], bool]]] = {
    "id": (True, f"an id ({ID_RULE})", _is_id),
    "title": (True, _TEXT, _is_both),
    "description": (True, _TEXT, _is_both),
    "version": (True, 'a text in quotes, such as "1.0"', lambda value: isinstance(value, str) and value.strip() != ""),
    "api": (True, f"{API_VERSION}", lambda value: value == API_VERSION and value is not True),
    "kind": (True, " or ".join(KINDS), lambda value: value in KINDS),
    "extends": (
        True,
        "a list of scheme ids",
        lambda value: isinstance(value, list) and value != [] and all(_is_id(scheme) for scheme in value),
    ),
    "group": (False, "{id: …, title: {nl: …, en: …}}", _is_group),
    "after": (False, "the id of a group of the scheme", _is_id),
    "entry": (False, _TEXT, _is_both),
    "hours": (False, "a whole number of 1 or more", lambda value: type(value) is int and value >= 1),
    "check": (False, "{explanation: {nl: …, en: …}, shows: [section.question, …]}", _is_check),
}


# --- hooks.py ------------------------------------------------------------------------------------------------------


def _load_hooks(plugin: Plugin, path: Path) -> None:
    """Checks ``hooks.py`` without running it, then runs it and takes its hooks."""
    file = shown_file(path)
    try:
        source = path.read_bytes()
        tree = ast.parse(source, filename=file)
    except (OSError, SyntaxError, ValueError) as error:
        problem, line = (error.msg, error.lineno) if isinstance(error, SyntaxError) else (str(error), None)
        fail(plugin, f"{TemplateFault(f'no valid Python: {problem}', file=file, line=line)}\n{traceback.format_exc()}")
        return
    for problem, line in (*_foreign_imports(tree), *_unknown_functions(tree)):
        fail(plugin, str(TemplateFault(problem, file=file, line=line)))
    if plugin.enabled:
        module = _run(plugin, path, file)
    if plugin.enabled:
        plugin.hooks = {name: getattr(module, name) for name in HOOKS if hasattr(module, name)}
        plugin.hooks_sha256 = hashlib.sha256(source).hexdigest()
        for name, hook in plugin.hooks.items():
            if not _same_parameters(hook, HOOKS[name]):
                line = getattr(getattr(hook, "__code__", None), "co_firstlineno", None)
                problem = f"must be a function {name}{inspect.signature(HOOKS[name])}"
                fail(plugin, str(TemplateFault(problem, file=file, line=line, key=name)))


def _foreign_imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = [f"app.{alias.name}" for alias in node.names] if base == "app" else [base]
        else:
            continue
        for name in names:
            if name != "app.plugin_api" and name.partition(".")[0] not in sys.stdlib_module_names:
                yield f"imports {name}; allowed are app.plugin_api and the standard library", node.lineno


def _unknown_functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in tree.body:
        known = isinstance(node, ast.FunctionDef) and (node.name in HOOKS or node.name.startswith("_"))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not known:
            yield f"{node.name} is no hook; hooks are {', '.join(HOOKS)}, and helpers start with an underscore", node.lineno


def _run(plugin: Plugin, path: Path, file: str) -> Any:
    name = f"loopbaandossier_plugin_{plugin.id}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses of the module look themselves up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit):
        del sys.modules[name]
        fail(plugin, f"{file} raised when it was read\n{traceback.format_exc()}")
    return module


def _same_parameters(hook: Any, contract: Callable[..., Any]) -> bool:
    if not inspect.isfunction(hook) or inspect.iscoroutinefunction(hook) or inspect.isgeneratorfunction(hook):
        return False
    given, wanted = inspect.signature(hook).parameters.values(), inspect.signature(contract).parameters
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return len(given) == len(wanted) and all(parameter.kind in positional for parameter in given)
