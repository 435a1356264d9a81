"""From folders to definitions: loads every scheme and plugin, names what is faulty, and composes a ``DossierTemplate``.

Nothing here raises for a fault in one scheme or plugin: it is left out and named in ``Catalogue.faults``; the rest runs on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.config import Settings
from app.errors import Conflict, InvalidInput, NotFound, TemplateFault
from app.plugin_api import QuestionType
from app.plugin_loader import Plugin, fail, find_plugins
from app.schemes import conditions, question_types, versions
from app.schemes.model import DossierTemplate, EarlierVersion, EntryRequirement, Group, PluginRef, Question
from app.schemes.schemas import Earlier, Placed, Scheme, check_levels, read_area, read_earlier, read_scheme
from app.texts import both
from app.yaml_lines import Document, KeyPath, read, shown_file

HOUSE_STYLE = "house_style"
EARLIER = "earlier.yaml"
LOG_FIELDS = {
    "date": ("date",),
    "title": ("short_text", "long_text"),
    "hours": ("number",),
    "kind": ("choice",),
    "provider": ("short_text",),
    "evidence": ("evidence",),
}
"""What a kind of the development log may name in a table, and of which type that must be."""


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
    earlier: Mapping[str, Sequence[EarlierVersion]] = field(default_factory=dict)

    def plugins_of(self, template: DossierTemplate) -> tuple[Plugin, ...]:
        """The plugins of a template that have code, in its order. One that is no longer installed comes as a disabled one."""
        return tuple(self.plugins.get(ref.id) or _gone(ref) for ref in template.plugins if ref.hooks_sha256)

    def versions(self, scheme: str) -> tuple[str, ...]:
        """The versions of a scheme, the first to take effect first."""
        return tuple(one.version for one in versions.in_order(self.templates(scheme)))

    def templates(self, scheme: str) -> list[DossierTemplate]:
        """Every version of a scheme, without plugins."""
        return [one.template for (name, _), one in self.schemes.items() if name == scheme]

    def ever(self, scheme: str) -> list[DossierTemplate | EarlierVersion]:
        """Every version of a scheme, also those that are only history."""
        return [*self.earlier.get(scheme, ()), *self.templates(scheme)]


def load_all(settings: Settings) -> Catalogue:
    """Every scheme version and plugin in the folders of the settings; runs the plugins' ``hooks.py``."""
    plugins = _by_id(find_plugins(settings))
    types = question_types.types([plugin for plugin in plugins.values() if plugin.enabled])
    schemes, faults = _load_schemes(settings.templates_dir, types)
    earlier: dict[str, list[EarlierVersion]] = {}
    for name in dict.fromkeys(scheme for scheme, _ in schemes):
        past, found = _read_earlier(settings.templates_dir / name / EARLIER)
        faults += found
        faults += versions.faults([*past, *(one for (scheme, _), one in schemes.items() if scheme == name)])
        earlier[name] = [one.template for one in past]
    faults += _unknown_certificates(schemes)
    contributions: dict[str, Contribution] = {}
    for plugin in plugins.values():
        if plugin.enabled:
            contribution, found = _read_contribution(plugin, types)
            found += _unknown_schemes(plugin, schemes)
            for fault in found:
                fail(plugin, str(fault))
            if plugin.enabled:
                contributions[plugin.id] = contribution
    catalogue = Catalogue(schemes, plugins, contributions, types, (), earlier)
    return replace(catalogue, faults=(*faults, *_composition_faults(catalogue)))


def faults(catalogue: Catalogue) -> list[str]:
    """Everything that is wrong, a line (or a line and a traceback) each: ``file:line: key: problem``."""
    of_plugins = [fault for plugin in catalogue.plugins.values() for fault in plugin.faults]
    return list(dict.fromkeys([*(str(fault) for fault in catalogue.faults), *of_plugins]))


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
    areas, faults = _read_folder(folder / "areas")
    lists, unread = _read_folder(folder / "lists")
    scheme, found = read_scheme(document, areas, types, lists)
    faults += unread + found
    if scheme is None:
        return None, faults
    for key, name in (("scheme", folder.parent.name), ("version", folder.name)):
        value = getattr(scheme.template, key)
        if value != name:
            faults.append(document.fault(f"found {value!r}; needed is the name of the folder, {name!r}", (key,)))
    if not faults:
        _, faults = _joined(scheme, [])
    return (None if faults else scheme), faults


def _read_earlier(path: Path) -> tuple[list[Earlier], list[TemplateFault]]:
    """The versions of a scheme that are only history; none without such a file."""
    if not path.exists():
        return [], []
    try:
        return read_earlier(read(path))
    except TemplateFault as fault:
        return [], [fault]


def _read_folder(folder: Path) -> tuple[list[Document], list[TemplateFault]]:
    """The documents in a folder, by file name."""
    documents: list[Document] = []
    faults: list[TemplateFault] = []
    for path in sorted(folder.glob("*.y*ml")):
        try:
            documents.append(read(path))
        except TemplateFault as fault:
            faults.append(fault)
    return documents, faults


def _read_contribution(plugin: Plugin, types: Mapping[str, QuestionType]) -> tuple[Contribution, list[TemplateFault]]:
    manifest = plugin.manifest.data if plugin.manifest else {}
    group = Group(**manifest["group"]) if "group" in manifest else None
    documents, faults = _read_folder(plugin.folder / "areas")
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
    own = [one for one in base.placed if chosen or not one.with_plugins]
    placed = [*own, *(one for contribution in chosen for one in contribution.placed)]
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
    faults = [
        *_dangling_requirements(base),
        *_dangling_log(base),
        *_dangling_holder(base),
        *_dangling_mentor(base),
        *_requirements_twice(base, chosen),
        *_dangling_checks(chosen),
    ]
    template = replace(
        base.template,
        groups=tuple(groups),
        sections=tuple(one.section for one in placed),
        plugins=tuple(_ref(contribution.plugin) for contribution in chosen),
        hours_expected=base.template.hours_expected + sum(_hours(contribution) for contribution in chosen),
        entry_requirements=(*base.template.entry_requirements, *(one for own in chosen for one in _requirement(own))),
    )
    return template, [*faults, *_dangling(template, placed)]


def _named(base: Scheme) -> str:
    return f"{base.template.scheme} {base.template.version}"


def _ref(plugin: Plugin) -> PluginRef:
    return PluginRef(
        id=plugin.id, version=plugin.version, title=dict(plugin.title), hooks_sha256=plugin.hooks_sha256, kind=plugin.kind
    )


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


def _requirement(contribution: Contribution) -> list[EntryRequirement]:
    """The entry text of a plugin, as something for the office to check: in words for the office where the plugin has them."""
    manifest, plugin = contribution.plugin.manifest, contribution.plugin
    entry = manifest.data.get("entry") if manifest else None
    if manifest is None or not entry:
        return []
    check = manifest.data.get("check", {"explanation": entry, "shows": []})
    return [
        EntryRequirement(
            id=plugin.id,
            title=dict(plugin.title),
            explanation=check["explanation"],
            sections=tuple(one.section.id for one in contribution.placed),
            shows=tuple(check["shows"]),
        )
    ]


def _dangling_checks(chosen: Sequence[Contribution]) -> list[TemplateFault]:
    """Questions that the check of a plugin's entry text shows but that the plugin does not have."""
    faults = []
    for one in chosen:
        questions = {f"{placed.section.id}.{question.id}" for placed in one.placed for question in placed.section.questions}
        manifest = one.plugin.manifest
        shows = manifest.data.get("check", {}).get("shows", []) if manifest is not None else []
        for number, name in enumerate(shows):
            if manifest is not None and name not in questions:
                problem = f"found {name!r}; the plugin has no question with this name"
                faults.append(manifest.fault(problem, ("check", "shows", number)))
    return faults


def _hours(contribution: Contribution) -> int:
    """How many hours of work a plugin adds."""
    manifest = contribution.plugin.manifest
    hours: int = manifest.data.get("hours", 0) if manifest is not None else 0
    return hours


def _requirements_twice(base: Scheme, chosen: Sequence[Contribution]) -> list[TemplateFault]:
    """A plugin whose id is that of a requirement of the scheme: the office could not tell the two apart."""
    own = {one.id for one in base.template.entry_requirements}
    return [
        one.plugin.manifest.fault(f"found {one.plugin.id!r}; an entry requirement of {_named(base)} has this id", ("id",))
        for one in chosen
        if one.plugin.manifest is not None and one.plugin.id in own and _requirement(one)
    ]


def _dangling_requirements(base: Scheme) -> list[TemplateFault]:
    """Sections and questions that an entry requirement names but that the scheme does not have."""
    always = [one.section for one in base.placed if not one.with_plugins]
    known = {one.id for one in always}
    questions = {f"{one.id}.{question.id}" for one in always for question in one.questions}
    return [
        base.document.fault(
            f"found {section!r}; there is no section with this id", ("entry_requirements", number, "sections", index)
        )
        for number, requirement in enumerate(base.template.entry_requirements)
        for index, section in enumerate(requirement.sections)
        if section not in known
    ] + [
        base.document.fault(
            f"found {name!r}; there is no question with this name", ("entry_requirements", number, "shows", index)
        )
        for number, requirement in enumerate(base.template.entry_requirements)
        for index, name in enumerate(requirement.shows)
        if name not in questions
    ]


def _dangling_log(base: Scheme) -> list[TemplateFault]:
    """Kinds of the development log that lead to a table, field or question that the scheme does not have, or of another type."""
    questions = {f"{one.section.id}.{question.id}": question for one in base.placed for question in one.section.questions}
    faults: list[TemplateFault] = []
    for number, kind in enumerate(base.template.development_log):
        path: KeyPath = ("development_log", number)
        table = questions.get(kind.table)
        if table is None or table.type != "table":
            faults.append(base.document.fault(f"found {kind.table!r}; there is no table with this name", (*path, "table")))
            continue
        columns = {field["id"]: field["type"] for field in table.settings["fields"]}
        for key, wanted in LOG_FIELDS.items():
            name = getattr(kind, key)
            if key == "evidence" and "." in name:
                found = questions.get(name)
                if found is None or found.type != "evidence":
                    problem = f"found {name!r}; there is no evidence question with this name"
                    faults.append(base.document.fault(problem, (*path, key)))
            elif name and columns.get(name) not in wanted:
                fitting = ", ".join(one for one, of_type in columns.items() if of_type in wanted) or "there is none"
                problem = f"found {name!r}; needed is a field of {kind.table} of type {' or '.join(wanted)}: {fitting}"
                faults.append(base.document.fault(problem, (*path, key)))
    return faults


def _dangling_holder(base: Scheme) -> list[TemplateFault]:
    """Questions that the register would answer but that the scheme does not have, or not of that type."""
    faults = []
    for key, of_type in (("number", "short_text"), ("period", "period")):
        faults += _not_of_type(base, base.template.holder.get(key, ""), of_type, ("holder", key))
    return faults


def _dangling_mentor(base: Scheme) -> list[TemplateFault]:
    """A question that would name the mentor but that the scheme does not have, or not as a line of text."""
    return _not_of_type(base, base.template.mentor, "short_text", ("mentor",))


def _not_of_type(base: Scheme, name: str, of_type: str, path: KeyPath) -> list[TemplateFault]:
    """A fault when a question is named (``section.question``) that the scheme does not have, or not of this type."""
    section_id, _, question_id = name.partition(".")
    section = base.template.section(section_id)
    question = section.question(question_id) if section else None
    if not name or (question is not None and question.type == of_type):
        return []
    return [base.document.fault(f"found {name!r}; needed is a question of type {of_type}", path)]


def _unknown_certificates(schemes: Mapping[tuple[str, str], Scheme]) -> list[TemplateFault]:
    """Schemes that a scheme for holders names but that are not there."""
    known = {name for name, _ in schemes}
    faults = []
    for one in schemes.values():
        holder = one.template.holder
        named: list[tuple[str, KeyPath]] = [(name, ("holder", "of", index)) for index, name in enumerate(holder.get("of", ()))]
        named += [(holder["after_expiry"], ("holder", "after_expiry"))] if holder.get("after_expiry") else []
        for name, path in named:
            if name not in known:
                faults.append(one.document.fault(f"found {name!r}; needed is a scheme: {', '.join(sorted(known))}", path))
    return faults


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
            faults += _dangling_table(template, one, question, (*path, "together_with"))
            faults += _dangling_within(template, one, question, (*path, "within", "period"))
            faults += _dangling_among(template, one, question, (*path, "among"))
            faults += _dangling_order(template, one, question, path)
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


def _dangling_table(template: DossierTemplate, one: Placed, question: Question, path: KeyPath) -> list[TemplateFault]:
    """A table whose rows are statements too, but that is not asked on the same page."""
    name = question.settings.get("together_with") if question.type == "statement" else None
    target = one.section.question(name) if name else None
    if not name or (target is not None and target.type == "table"):
        return []
    return [one.document.fault(f"found {name!r}; needed is a table of this section", path)]


def _dangling_within(template: DossierTemplate, one: Placed, question: Question, path: KeyPath) -> list[TemplateFault]:
    """A period within which rows count but that is not asked."""
    within = question.settings.get("within") if question.type == "table" else None
    if not within:
        return []
    section_id, _, name = within["period"].partition(".")
    section = template.section(section_id)
    target = section.question(name) if section else None
    if target is not None and target.type == "period":
        return []
    return [one.document.fault(f"found {within['period']!r}; needed is a question of type period", path)]


def _dangling_among(template: DossierTemplate, one: Placed, question: Question, path: KeyPath) -> list[TemplateFault]:
    """A date that has to be one of a table's, of a table or field that is not there."""
    among = question.settings.get("among") if question.type == "date" else None
    if not among:
        return []
    section_id, _, name = among["table"].partition(".")
    section = template.section(section_id)
    target = section.question(name) if section else None
    if target is None or target.type != "table":
        return [one.document.fault(f"found {among['table']!r}; needed is a table", (*path, "table"))]
    dates = [field["id"] for field in target.settings["fields"] if field["type"] == "date"]
    if among["field"] in dates:
        return []
    words = f"needed is a date field of {among['table']}: {', '.join(dates) or 'there is none'}"
    return [one.document.fault(f"found {among['field']!r}; {words}", (*path, "field"))]


def _dangling_order(template: DossierTemplate, one: Placed, question: Question, path: KeyPath) -> list[TemplateFault]:
    """Dates that a date is held against but that are not asked."""
    faults = []
    for key in ("not_before", "not_after"):
        name = question.settings.get(key, {}).get("question", "") if question.type == "date" else ""
        section_id, _, question_id = name.partition(".")
        section = template.section(section_id)
        target = section.question(question_id) if section else None
        if name and (target is None or target.type != "date"):
            faults.append(one.document.fault(f"found {name!r}; needed is a question of type date", (*path, key, "question")))
    return faults


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
