"""From folders to definitions: loads every scheme and plugin, names what is faulty, and composes a ``DossierTemplate``.

Nothing here raises for a fault in one scheme or plugin: it is left out and named in ``Catalogue.faults``; the rest runs on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from app.config import Settings
from app.errors import Conflict, InvalidInput, NotFound, TemplateFault
from app.plugin_api import QuestionType
from app.plugin_loader import Plugin, fail, find_plugins
from app.schemes import conditions, question_types
from app.schemes.model import DossierTemplate, Group, PluginRef, Question
from app.schemes.schemas import Placed, Scheme, check_levels, read_area, read_scheme
from app.texts import both
from app.yaml_lines import Document, KeyPath, read, shown_file

HOUSE_STYLE = "house_style"


@dataclass(frozen=True)
class Contribution:
    """What a plugin brings: its areas, and the group of its own for the task list, if any, with the group that it follows."""

    plugin: Plugin
    placed: tuple[Placed, ...]
    group: Group | None = None
    after: str = ""


@dataclass(frozen=True)
class Catalogue:
    """All that was found at the start. ``plugins`` has the faulty ones too; ``contributions`` has the good ones, by plugin id.

    ``faults`` is what is wrong with schemes, and where a good plugin does not fit one; a plugin's own faults, also of its
    areas, are in ``Plugin.faults``. The function ``faults`` gives all of them.
    """

    schemes: Mapping[tuple[str, str], Scheme]
    plugins: Mapping[str, Plugin]
    contributions: Mapping[str, Contribution]
    types: Mapping[str, QuestionType]
    faults: tuple[TemplateFault, ...]

    def plugins_of(self, template: DossierTemplate) -> tuple[Plugin, ...]:
        """The plugins of a template that have code, in its order. One that is no longer installed comes as a disabled one."""
        return tuple(self.plugins.get(ref.id) or _gone(ref) for ref in template.plugins if ref.hooks_sha256)

    def versions(self, scheme: str) -> tuple[str, ...]:
        """The versions of a scheme, the first to take effect first."""
        found = [one.template for (name, _), one in self.schemes.items() if name == scheme]
        return tuple(one.version for one in sorted(found, key=lambda one: (one.effective_from, one.version)))


def load_all(settings: Settings) -> Catalogue:
    """Every scheme version and plugin in the folders of the settings; runs the plugins' ``hooks.py``."""
    plugins = _by_id(find_plugins(settings))
    types = question_types.types([plugin for plugin in plugins.values() if plugin.enabled])
    schemes, faults = _load_schemes(settings.templates_dir, types)
    contributions: dict[str, Contribution] = {}
    for plugin in plugins.values():
        if plugin.enabled:
            contribution, found = _read_contribution(plugin, types)
            found += _unknown_schemes(plugin, schemes)
            for fault in found:
                fail(plugin, str(fault))
            if plugin.enabled:
                contributions[plugin.id] = contribution
    catalogue = Catalogue(schemes, plugins, contributions, types, ())
    return replace(catalogue, faults=(*faults, *_composition_faults(catalogue)))


def faults(catalogue: Catalogue) -> list[str]:
    """Everything that is wrong, a line (or a line and a traceback) each: ``file:line: key: problem``."""
    of_plugins = [fault for plugin in catalogue.plugins.values() for fault in plugin.faults]
    return list(dict.fromkeys([*(str(fault) for fault in catalogue.faults), *of_plugins]))


def current(catalogue: Catalogue, scheme: str, on: date) -> str:
    """The version of a scheme that is in effect on a day: of several, the one that took effect last. Raises ``NotFound``."""
    day = on.isoformat()
    for version in reversed(catalogue.versions(scheme)):
        template = catalogue.schemes[scheme, version].template
        if template.effective_from <= day and (not template.effective_until or day <= template.effective_until):
            return version
    raise NotFound(both("Dit schema is op deze datum niet in gebruik. Neem contact op met het secretariaat."), scheme=scheme)


def choices(catalogue: Catalogue, scheme: str, version: str) -> tuple[Plugin, ...]:
    """The working plugins that a candidate may add to a scheme version, by id."""
    found = []
    for plugin_id, contribution in catalogue.contributions.items():
        try:
            compose(catalogue, scheme, version, [plugin_id])
        except (Conflict, InvalidInput):
            continue
        found.append(contribution.plugin)
    return tuple(found)


def compose(catalogue: Catalogue, scheme: str, version: str, plugin_ids: Sequence[str]) -> DossierTemplate:
    """The template of a scheme version with these plugins, the same one whatever their order.

    Raises ``NotFound`` for an unknown scheme or version, ``InvalidInput`` for a plugin that does not belong to the scheme and
    ``Conflict`` for one that does not work or fit; then ``details['faults']`` says for authors what does not fit.
    """
    base = catalogue.schemes.get((scheme, version))
    if base is None:
        raise NotFound(
            both("Dit schema is er niet of werkt nu niet. Neem contact op met het secretariaat."), scheme=scheme, version=version
        )
    chosen = [_contribution(catalogue, base, plugin_id) for plugin_id in sorted(set(plugin_ids))]
    template, found = _joined(base, chosen)
    if found:
        text = both("Deze uitbreidingen passen niet bij dit schema of niet bij elkaar. Neem contact op met het secretariaat.")
        raise Conflict(text, faults=[str(fault) for fault in found])
    return template


def _contribution(catalogue: Catalogue, base: Scheme, plugin_id: str) -> Contribution:
    contribution = catalogue.contributions.get(plugin_id)
    if contribution is None or not contribution.plugin.enabled:
        known = catalogue.plugins.get(plugin_id)
        title = known.title if known else plugin_id
        raise Conflict(
            both(
                "De uitbreiding “%(title)s” werkt nu niet. Kies haar niet, of neem contact op met het secretariaat.", title=title
            ),
            plugin=plugin_id,
        )
    if not _belongs(contribution.plugin, base):
        raise InvalidInput(
            both("De uitbreiding “%(title)s” hoort niet bij dit schema. Kies een andere.", title=contribution.plugin.title),
            plugin=plugin_id,
        )
    return contribution


def _belongs(plugin: Plugin, base: Scheme) -> bool:
    return base.template.scheme in plugin.extends and plugin.kind in base.accepts_plugins


# --- loading -------------------------------------------------------------------------------------------------------


def _by_id(plugins: Iterable[Plugin]) -> dict[str, Plugin]:
    """Plugins by id; one whose id was taken (and that is disabled for it) by its folder."""
    found: dict[str, Plugin] = {}
    for plugin in plugins:
        found[shown_file(plugin.folder) if plugin.id in found else plugin.id] = plugin
    return found


def _load_schemes(folder: Path, types: Mapping[str, QuestionType]) -> tuple[dict[tuple[str, str], Scheme], list[TemplateFault]]:
    schemes: dict[tuple[str, str], Scheme] = {}
    faults: list[TemplateFault] = []
    for path in sorted(folder.glob("*/*/")):
        if path.parent.name == HOUSE_STYLE or path.name.startswith("."):
            continue
        scheme, found = _load_scheme(path, types)
        faults += found
        if scheme is not None:
            schemes[scheme.template.scheme, scheme.template.version] = scheme
    return schemes, faults


def _load_scheme(folder: Path, types: Mapping[str, QuestionType]) -> tuple[Scheme | None, list[TemplateFault]]:
    """The scheme version in ``<scheme>/<version>/``, or None and everything that is wrong with it."""
    try:
        document = read(folder / "scheme.yaml")
    except TemplateFault as fault:
        return None, [fault]
    areas, faults = _read_areas(folder)
    scheme, found = read_scheme(document, areas, types)
    faults += found
    if scheme is None:
        return None, faults
    for key, name in (("scheme", folder.parent.name), ("version", folder.name)):
        value = getattr(scheme.template, key)
        if value != name:
            faults.append(document.fault(f"found {value!r}; needed is the name of the folder, {name!r}", (key,)))
    if not faults:
        _, faults = _joined(scheme, [])
    return (None if faults else scheme), faults


def _read_areas(folder: Path) -> tuple[list[Document], list[TemplateFault]]:
    """The documents of ``areas/*.yaml``, by file name."""
    documents: list[Document] = []
    faults: list[TemplateFault] = []
    for path in sorted((folder / "areas").glob("*.y*ml")):
        try:
            documents.append(read(path))
        except TemplateFault as fault:
            faults.append(fault)
    return documents, faults


def _read_contribution(plugin: Plugin, types: Mapping[str, QuestionType]) -> tuple[Contribution, list[TemplateFault]]:
    manifest = plugin.manifest.data if plugin.manifest else {}
    group = Group(**manifest["group"]) if "group" in manifest else None
    documents, faults = _read_areas(plugin.folder)
    placed: list[Placed] = []
    for document in documents:
        area, found = read_area(document, types, plugin=plugin.id, group=group.id if group else "")
        placed += [area] if area else []
        faults += found
    return Contribution(plugin, tuple(placed), group, manifest.get("after", "")), faults


def _unknown_schemes(plugin: Plugin, schemes: Mapping[tuple[str, str], Scheme]) -> list[TemplateFault]:
    """A fault when none of the schemes that a plugin extends is there: most likely a slip of the pen."""
    known = {scheme for scheme, _ in schemes}
    if plugin.manifest is None or known & set(plugin.extends):
        return []
    problem = f"found {', '.join(plugin.extends)}; needed is at least one scheme that is there: {', '.join(sorted(known))}"
    return [plugin.manifest.fault(problem, ("extends",))]


def _composition_faults(catalogue: Catalogue) -> list[TemplateFault]:
    """What does not fit: each plugin with each scheme version that it extends, alone and with the fitting ones before it."""
    found: list[TemplateFault] = []
    for base in catalogue.schemes.values():
        fitting: list[Contribution] = []
        for contribution in catalogue.contributions.values():
            if not _belongs(contribution.plugin, base):
                continue
            _, faults = _joined(base, [*fitting, contribution])
            found += faults
            if not faults:
                fitting.append(contribution)
    return found


def _gone(ref: PluginRef) -> Plugin:
    return Plugin(id=ref.id, folder=Path(), title=ref.title, version=ref.version, faults=(f"{ref.id}: is not installed",))


# --- composing -----------------------------------------------------------------------------------------------------


def _joined(base: Scheme, chosen: Sequence[Contribution]) -> tuple[DossierTemplate, list[TemplateFault]]:
    """The template of a scheme with plugins, and everything that does not fit in it."""
    groups, faults = _groups(base, chosen)
    order = [group.id for group in groups]
    placed = [*base.placed, *(one for contribution in chosen for one in contribution.placed)]
    scores = {level.value for level in base.template.scale}
    for contribution in chosen:
        faults += [fault for one in contribution.placed for fault in check_levels(one, scores)]
    for one in placed:
        if one.section.group not in order:
            problem = f"found {one.section.group!r}; needed is a group of {_named(base)}: {', '.join(order)}"
            faults.append(one.document.fault(problem, (*one.path, "group")))
    faults += _twice(placed)
    if faults:
        return base.template, faults
    placed.sort(key=lambda one: order.index(one.section.group))
    template = replace(
        base.template,
        groups=tuple(groups),
        sections=tuple(one.section for one in placed),
        plugins=tuple(_ref(contribution.plugin) for contribution in chosen),
    )
    return template, _dangling(template, placed)


def _named(base: Scheme) -> str:
    return f"{base.template.scheme} {base.template.version}"


def _ref(plugin: Plugin) -> PluginRef:
    return PluginRef(id=plugin.id, version=plugin.version, title=dict(plugin.title), hooks_sha256=plugin.hooks_sha256)


def _groups(base: Scheme, chosen: Sequence[Contribution]) -> tuple[list[Group], list[TemplateFault]]:
    """The groups in the order of the task list: a plugin's own one behind the group that it names, else last."""
    own = [group.id for group in base.template.groups]
    taken = set(own)
    behind: dict[str, list[Group]] = {}
    faults: list[TemplateFault] = []
    for contribution in chosen:
        group, manifest = contribution.group, contribution.plugin.manifest
        if group is None or manifest is None:
            continue
        if group.id in taken:
            faults.append(manifest.fault(f"found {group.id!r}; {_named(base)} or another plugin has this group", ("group", "id")))
        if contribution.after and contribution.after not in own:
            problem = f"found {contribution.after!r}; needed is a group of {_named(base)}: {', '.join(own)}"
            faults.append(manifest.fault(problem, ("after",)))
        taken.add(group.id)
        behind.setdefault(contribution.after or own[-1], []).append(group)
    return [one for group in base.template.groups for one in (group, *behind.get(group.id, ()))], faults


def _twice(placed: Sequence[Placed]) -> list[TemplateFault]:
    """Section ids that were taken already, with the place that has them."""
    first: dict[str, Placed] = {}
    faults: list[TemplateFault] = []
    for one in placed:
        other = first.setdefault(one.section.id, one)
        if other is not one:
            place = f"{other.document.file}:{other.document.line((*other.path, 'id'))}"
            faults.append(one.document.fault(f"found {one.section.id!r}; {place} has this id", (*one.path, "id")))
    return faults


def _dangling(template: DossierTemplate, placed: Sequence[Placed]) -> list[TemplateFault]:
    """What points at a section or question that is not there, or goes round in a circle."""
    faults: list[TemplateFault] = []
    for one in placed:
        for index, question in enumerate(one.section.questions):
            path = (*one.path, "questions", index)
            faults += _dangling_reads(template, one, question, (*path, "reads"))
            if question.shown_if:
                faults += _dangling_names(template, one, question, (*path, "shown_if"))
    if not faults and (circle := conditions.cycle(template)):
        section, question_id = circle[0]
        one = next(one for one in placed if one.section.id == section)
        index = [question.id for question in one.section.questions].index(question_id)
        way = " -> ".join(".".join(name) for name in circle)
        faults.append(one.document.fault(f"these wait for each other: {way}", (*one.path, "questions", index, "shown_if")))
    return faults


def _dangling_reads(template: DossierTemplate, one: Placed, question: Question, path: KeyPath) -> list[TemplateFault]:
    """Sections that a supervisor would read but that are not there."""
    reads = question.settings.get("reads", []) if question.type == "statement" else []
    return [
        one.document.fault(f"found {section!r}; there is no section with this id", (*path, index))
        for index, section in enumerate(reads)
        if template.section(section) is None
    ]


def _dangling_names(template: DossierTemplate, one: Placed, question: Question, path: KeyPath) -> list[TemplateFault]:
    """What is wrong with a condition: its words, its names, and whether its tests suit the questions they look at."""
    try:
        condition = conditions.parse(question.shown_if, one.section.id)
    except conditions.ConditionError as error:
        return [one.document.fault(str(error), path)]
    faults = []
    for test in conditions.tests(condition):
        section = template.section(test.name[0])
        target = section.question(test.name[1]) if section else None
        name = ".".join(test.name)
        problem = f"there is no question {name}" if target is None else conditions.unsuited(test, target)
        if problem:
            faults.append(one.document.fault(problem, path))
    return faults
