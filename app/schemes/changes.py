"""What differs between two templates, in words for the candidate: per section and question, and for the dossier as a whole. Pure.

Questions belong together when they have the same section and id. One that stands in another section now counts as moved when
there is one such question only, of the same type and with the same words, and its own section or the new one was there before
and after (or the section has the same title): an answer must never land under a question about something else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from app.errors import Text
from app.schemes import question_types, statement_settings
from app.schemes.model import DossierTemplate, PluginRef, Question, Section
from app.texts import LANGUAGES, both, pick

Weight = Literal["more", "less", "words", "other"]
Kind = Literal["same", "changed", "moved", "retyped", "added", "removed"]
Place = tuple[str, str]  # section id, question id


@dataclass(frozen=True)
class Detail:
    """One difference. ``more``: it asks more than before; ``less``: less; ``words``: other words (``before``, ``after``)."""

    weight: Weight
    text: Text
    before: Text | None = None
    after: Text | None = None


@dataclass(frozen=True)
class QuestionChange:
    """One question in the old template, the new one, or both. ``was`` and ``place`` are where it stood and stands."""

    was: Place | None
    place: Place | None
    old: Question | None
    new: Question | None
    details: tuple[Detail, ...] = ()

    @property
    def kind(self) -> Kind:
        if self.old is None or self.new is None:
            return "added" if self.old is None else "removed"
        if self.old.type != self.new.type:
            return "retyped"
        if self.was != self.place:
            return "moved"
        return "changed" if self.details else "same"

    @property
    def asks_more(self) -> bool:
        return self.kind in ("added", "moved", "retyped") or any(one.weight == "more" for one in self.details)


@dataclass(frozen=True)
class SectionChange:
    """One section in the old template, the new one, or both, with its questions: those of now in order, then those that went."""

    id: str
    old: Section | None
    new: Section | None
    details: tuple[Detail, ...]
    questions: tuple[QuestionChange, ...]

    @property
    def changed(self) -> bool:
        return self.old is None or self.new is None or bool(self.details) or any(one.kind != "same" for one in self.questions)

    @property
    def asks_more(self) -> bool:
        return self.new is not None and any(one.asks_more for one in self.questions)


@dataclass(frozen=True)
class Comparison:
    """Every question of both templates once. ``whole``: what differs in the dossier as a whole.

    ``newer_plugins`` are those with another version, each as it is now; ``gone_plugins`` those that take no part any more.
    """

    whole: tuple[Detail, ...]
    sections: tuple[SectionChange, ...]
    newer_plugins: tuple[PluginRef, ...] = ()
    gone_plugins: tuple[PluginRef, ...] = ()

    @property
    def questions(self) -> tuple[QuestionChange, ...]:
        return tuple(question for section in self.sections for question in section.questions)

    @property
    def matters(self) -> bool:
        """Whether there is anything that somebody who fills it in would see. Another version of a plugin alone is nothing."""
        return bool(self.whole) or bool(self.gone_plugins) or any(section.changed for section in self.sections)

    @property
    def is_empty(self) -> bool:
        return not self.matters and not self.newer_plugins


def compare(old: DossierTemplate, new: DossierTemplate) -> Comparison:
    """What changes for somebody who goes from ``old`` to ``new``."""
    before, after = _placed(old), _placed(new)
    pairs = {place: place for place in after if place in before} | _moved(old, new, before, after)
    was = {place: former for former, place in pairs.items()}
    groups: dict[str, list[QuestionChange]] = {}
    for place, question in after.items():
        former = was.get(place)
        counterpart = before[former] if former else None
        details = tuple(_of_question(counterpart, question)) if counterpart and counterpart.type == question.type else ()
        if former and counterpart and counterpart.type == question.type:
            details += tuple(_of_serves(_served(old, former, counterpart), _served(new, place, question)))
        groups.setdefault(place[0], []).append(QuestionChange(former, place, counterpart, question, details))
    for place, question in before.items():
        if place not in pairs:
            groups.setdefault(place[0], []).append(QuestionChange(place, None, question, None))
    ids = [*(section.id for section in new.sections), *(one.id for one in old.sections if new.section(one.id) is None)]
    return Comparison(
        whole=tuple(_of_whole(old, new)),
        sections=tuple(_section(old, new, one, tuple(groups.get(one, ()))) for one in ids),
        newer_plugins=tuple(
            ref for ref in new.plugins for former in old.plugins if ref.id == former.id and ref.version != former.version
        ),
        gone_plugins=tuple(ref for ref in old.plugins if ref.id not in {one.id for one in new.plugins}),
    )


def _placed(template: DossierTemplate) -> dict[Place, Question]:
    return {(section.id, question.id): question for section, question in template.questions()}


def _moved(
    old: DossierTemplate, new: DossierTemplate, before: Mapping[Place, Question], after: Mapping[Place, Question]
) -> dict[Place, Place]:
    """Where a question went that stands in another section now."""
    gone = [place for place in before if place not in after]
    fresh = [place for place in after if place not in before]
    fitting = {
        place: [
            other
            for other in fresh
            if other[1] == place[1]
            and (after[other].type, after[other].label) == (before[place].type, before[place].label)
            and _may_follow(old, new, place[0], other[0])
        ]
        for place in gone
    }
    wanted = [other for found in fitting.values() for other in found]
    return {place: found[0] for place, found in fitting.items() if len(found) == 1 and wanted.count(found[0]) == 1}


def _may_follow(old: DossierTemplate, new: DossierTemplate, left: str, entered: str) -> bool:
    if new.section(left) is not None or old.section(entered) is not None:
        return True
    former, section = old.section(left), new.section(entered)
    return former is not None and section is not None and former.title == section.title


# --- the dossier as a whole, and sections --------------------------------------------------------------------------


def _of_whole(old: DossierTemplate, new: DossierTemplate) -> Iterator[Detail]:
    yield from _words(both("Naam van het dossier"), old.title, new.title)
    yield from _words(both("Inleiding"), old.introduction, new.introduction)
    yield from _listed(
        old.declarations,
        new.declarations,
        lambda one: one.text,
        both("Nieuwe slotverklaring bij het indienen"),
        both("Deze slotverklaring vervalt"),
        both("Slotverklaring bij het indienen"),
    )
    yield from _listed(
        old.entry_requirements,
        new.entry_requirements,
        lambda one: one.title,
        both("Nieuwe eis voor toelating"),
        both("Deze eis voor toelating vervalt"),
        both("Eis voor toelating"),
        more=lambda one: one.explanation or {},
    )
    if old.route != new.route:
        text = (
            both("Bij de beoordeling hoort nu een gesprek.")
            if new.route == "oral"
            else both("De beoordeling is nu schriftelijk.")
        )
        yield Detail("other", text)
    if old.scale != new.scale:
        yield Detail("other", both("De schaal waarop beoordelaars scoren, is veranderd."))
    numbers: Sequence[tuple[str, Text]] = (
        ("validity_years", both("Jaren dat het certificaat geldt")),
        ("hours_expected", both("Uren werk, naar verwachting")),
        ("assessors", both("Aantal beoordelaars")),
        ("admission_days", both("Dagen voor de controle van de toelating")),
        ("assessment_days", both("Dagen voor de beoordeling")),
        ("decision_days", both("Dagen voor het besluit")),
    )
    for name, label in numbers:
        yield from _number(label, getattr(old, name), getattr(new, name))
    titles = {group.id: group.title for group in old.groups}
    for group in new.groups:
        if group.id in titles:
            yield from _words(both("Kop in het overzicht"), titles[group.id], group.title)


def _section(old: DossierTemplate, new: DossierTemplate, section_id: str, questions: tuple[QuestionChange, ...]) -> SectionChange:
    before, after = old.section(section_id), new.section(section_id)
    details = tuple(_of_section(old, new, before, after)) if before and after else ()
    return SectionChange(section_id, before, after, details, questions)


def _of_section(old: DossierTemplate, new: DossierTemplate, before: Section, after: Section) -> Iterator[Detail]:
    yield from _words(both("Titel van dit onderdeel"), before.title, after.title)
    yield from _words(both("Inleiding van dit onderdeel"), before.intro, after.intro)
    if before.group != after.group:
        title = next((group.title for group in new.groups if group.id == after.group), {})
        yield Detail("other", both("Dit onderdeel staat nu onder “%(group)s”.", group=title))
    if before.guidance != after.guidance:
        yield from _words(
            both("Waar beoordelaars op letten"), _joined(before.guidance.look_for), _joined(after.guidance.look_for)
        )
        yield from _words(both("Voorbeeldantwoord"), before.guidance.example, after.guidance.example)
        if before.guidance.starr != after.guidance.starr:
            yield Detail("other", both("De hulp met STARR bij dit onderdeel is veranderd."))
    yield from _listed(
        before.criteria,
        after.criteria,
        lambda one: one.title,
        both("Hier wordt nu ook op beoordeeld"),
        both("Hier wordt niet meer op beoordeeld"),
        both("Waarop wordt beoordeeld"),
        more=lambda one: _joined([one.levels[score] for score in sorted(one.levels)]) or {},
        weight="other",
    )


def _joined(texts: Sequence[Text]) -> dict[str, str] | None:
    return {language: "\n".join(pick(one, language) for one in texts) for language in LANGUAGES} if texts else None


def _joint(first: Text, between: str, then: Text) -> dict[str, str]:
    return {language: f"{pick(first, language)}{between}{pick(then, language)}" for language in LANGUAGES}


def _words(label: Text, before: Text | None, after: Text | None) -> Iterator[Detail]:
    if dict(before or {}) != dict(after or {}):
        yield Detail("words", label, before, after)


def _number(label: Text, before: int, after: int) -> Iterator[Detail]:
    if before != after:
        yield Detail(
            "other", both("%(label)s: %(after)s (was %(before)s).", label=label, before=before or "–", after=after or "–")
        )


def _listed(
    before: Iterable[Any],
    after: Iterable[Any],
    words: Callable[[Any], Text],
    added: Text,
    removed: Text,
    changed: Text,
    *,
    more: Callable[[Any], Text] = lambda one: {},
    weight: Weight = "more",
) -> Iterator[Detail]:
    """Things with an id: those that came, those that went, and those that say something else (``more``: further words)."""
    old, new = {one.id: one for one in before}, {one.id: one for one in after}
    for name, one in new.items():
        if name not in old:
            yield Detail(weight, _joint(added, ": ", words(one)))
        else:
            yield from _words(changed, words(old[name]), words(one))
            yield from _words(both("Uitleg bij “%(title)s”", title=words(one)), more(old[name]), more(one))
    for name, one in old.items():
        if name not in new:
            lighter: Weight = "less" if weight == "more" else weight
            yield Detail(lighter, _joint(removed, ": ", words(one)))


# --- questions -----------------------------------------------------------------------------------------------------

IGNORED = ("id", "type", "label", "hint", "required", "shown_if", "serves", "autocomplete", "row_title", "reminders", "mentions")
"""Settings that change nothing for the candidate, and those that are told of otherwise."""


def _of_question(old: Question, new: Question) -> Iterator[Detail]:
    """What differs between two questions of one type."""
    yield from _words(both("De vraag"), old.label, new.label)
    yield from _words(both("De uitleg bij de vraag"), old.hint, new.hint)
    if old.required != new.required:
        yield Detail("more", both("Dit moet u nu invullen.")) if new.required else Detail("less", both("Dit hoeft niet meer."))
    if old.shown_if != new.shown_if:
        if not new.shown_if:
            yield Detail("more", both("Dit wordt nu altijd gevraagd."))
        elif not old.shown_if:
            yield Detail("less", both("Dit wordt nu alleen in sommige gevallen gevraagd."))
        else:
            yield Detail("more", both("Dit wordt in andere gevallen gevraagd dan eerst."))
    yield from _of_settings(old.settings, new.settings)


def _served(template: DossierTemplate, place: Place, question: Question) -> dict[str, Text]:
    """The criteria of which an answer, or a file in one of its columns, shows something: their titles by id."""
    section = template.section(place[0])
    named = {*question.serves, *(name for field in question.settings.get("fields", ()) for name in field.get("serves", ()))}
    return {one.id: one.title for one in section.criteria if one.id in named} if section else {}


def _of_serves(before: Mapping[str, Text], after: Mapping[str, Text]) -> Iterator[Detail]:
    if fresh := [title for name, title in after.items() if name not in before]:
        yield Detail("other", both("Uw antwoord laat nu ook iets zien van: %(titles)s.", titles=_enumerated(fresh)))
    if gone := [title for name, title in before.items() if name not in after]:
        yield Detail("other", both("Uw antwoord telt niet meer mee voor: %(titles)s.", titles=_enumerated(gone)))


def _of_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Detail]:
    told = set(IGNORED)
    for key, tell in _TELLERS.items():
        told.add(key)
        if old.get(key) != new.get(key):
            yield from tell(old.get(key), new.get(key))
    if any("min" in one or "max" in one for one in (old, new)):
        told |= {"min", "max"}
        yield from _limits(both("Grenzen"), old, new)
    if any(
        old.get(key) != new.get(key) for key in {*old, *new} - told
    ):  # of a plugin's own type: it cannot be told what it means
        yield Detail("more", both("De regels voor het antwoord zijn veranderd."))


def _limits(label: Text, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[Detail]:
    old, new = _ends(before), _ends(after)
    if old != new:
        tighter = _tighter(old[0], new[0]) or _tighter(new[1], old[1], least=False)
        text = both("%(label)s: %(after)s (was %(before)s).", label=label, before=_range(*old), after=_range(*new))
        yield Detail("more" if tighter else "less", text)


def _ends(limits: Mapping[str, Any] | None) -> tuple[Any, Any]:
    return ((limits or {}).get("min"), (limits or {}).get("max"))


def _tighter(low: Any, high: Any, *, least: bool = True) -> bool:
    """Whether a least that goes from ``low`` to ``high`` (a most from ``high`` to ``low``) asks more; unsure counts as yes."""
    if low == high:
        return False
    wider = high if least else low
    if wider is None:
        return False
    if (low if least else high) is None:
        return True
    if "today" in (low, high):
        return True
    return bool(low < high)


def _range(least: Any, most: Any) -> Text:
    if least is not None and most is not None:
        if least == most:
            return _shown(least)
        return both("%(least)s tot en met %(most)s", least=_shown(least), most=_shown(most))
    if least is not None:
        return (
            both("minstens %(least)s", least=_shown(least))
            if not isinstance(least, str)
            else both("vanaf %(least)s", least=_shown(least))
        )
    if most is not None:
        return (
            both("hoogstens %(most)s", most=_shown(most))
            if not isinstance(most, str)
            else both("tot en met %(most)s", most=_shown(most))
        )
    return both("geen grens")


def _shown(value: Any) -> dict[str, str]:
    if value == "today":
        return both("vandaag")
    if isinstance(value, str):
        try:
            day = date.fromisoformat(value)
        except ValueError:  # of a plugin's own type
            return dict.fromkeys(LANGUAGES, value)
        return {language: question_types.shown_date(day, language) for language in LANGUAGES}
    return {language: question_types.shown_number(Decimal(str(value)), language) for language in LANGUAGES}


def _range_of(label: Callable[[], Text]) -> Callable[[Any, Any], Iterator[Detail]]:
    return lambda before, after: _limits(label(), before, after)


def _max_length(before: Any, after: Any) -> Iterator[Detail]:
    yield from _limits(both("Aantal tekens"), {"max": before or 200}, {"max": after or 200})


def _decimals(before: Any, after: Any) -> Iterator[Detail]:
    yield from _limits(both("Cijfers achter de komma"), {"max": before or 0}, {"max": after or 0})


def _open(before: Any, after: Any) -> Iterator[Detail]:
    if bool(before) != bool(after):
        yield (
            Detail("less", both("De einddatum mag open blijven."))
            if after
            else Detail("more", both("De einddatum moet u nu invullen."))
        )


def _text_of(label: Callable[[], Text], *, more: bool = False) -> Callable[[Any, Any], Iterator[Detail]]:
    """Words beside the answer. ``more``: who agreed to the old words has to agree to the new ones."""

    def tell(before: Any, after: Any) -> Iterator[Detail]:
        for one in _words(label(), before, after):
            yield Detail("more", one.text, one.before, one.after) if more else one

    return tell


def _options(before: Any, after: Any) -> Iterator[Detail]:
    old, new = ({option["id"]: option for option in options or ()} for options in (before, after))
    gone = [option["label"] for name, option in old.items() if name not in new]
    fresh = [option["label"] for name, option in new.items() if name not in old]
    if gone:
        yield Detail("more", both("Niet meer te kiezen: %(labels)s.", labels=_enumerated(gone)))
    if fresh:
        yield Detail("less", both("Nieuw om te kiezen: %(labels)s.", labels=_enumerated(fresh)))
    for name, option in new.items():
        if name in old:
            yield from _words(both("Een keuze"), old[name]["label"], option["label"])
            yield from _words(both("De uitleg bij “%(label)s”", label=option["label"]), old[name].get("hint"), option.get("hint"))


def _enumerated(labels: Sequence[Text]) -> dict[str, str]:
    return {language: ", ".join(pick(label, language) for label in labels) for language in LANGUAGES}


def _kinds(before: Any, after: Any) -> Iterator[Detail]:
    old, new = (list(kinds or question_types.EVIDENCE_KINDS) for kinds in (before, after))
    if gone := [kind for kind in old if kind not in new]:
        yield Detail("more", both("Deze soorten bestanden mogen niet meer: %(kinds)s.", kinds=", ".join(gone)))
    if fresh := [kind for kind in new if kind not in old]:
        yield Detail("less", both("Deze soorten bestanden mogen nu ook: %(kinds)s.", kinds=", ".join(fresh)))


def _refused(before: Any, after: Any) -> Iterator[Detail]:
    old, new = list(before or ()), list(after or ())
    for one in new:
        if one not in old:
            yield Detail("more", both("Wat niet meetelt als bewijs, nieuw: %(words)s", words=one))
    for one in old:
        if one not in new:
            yield Detail("less", both("Dit staat niet meer bij wat niet meetelt als bewijs: %(words)s", words=one))


def _nested(before: Any, after: Any) -> Iterator[Detail]:
    """The columns of a table, or the questions of a statement."""
    old, new = ({one["id"]: question_types.question(one) for one in questions or ()} for questions in (before, after))
    for name, question in new.items():
        former = old.get(name)
        if former is None:
            yield Detail("more", both("Nieuw gevraagd: %(label)s", label=question.label))
        elif former.type != question.type:
            yield Detail("more", both("Wordt op een andere manier gevraagd: %(label)s", label=question.label))
        else:
            for one in _of_question(former, question):
                yield Detail(one.weight, _joint(question.label, " – ", one.text), one.before, one.after)
    for name, question in old.items():
        if name not in new:
            yield Detail("less", both("Niet meer gevraagd: %(label)s", label=question.label))


def _totals(before: Any, after: Any) -> Iterator[Detail]:
    old, new = ({one["field"]: one for one in totals or ()} for totals in (before, after))
    for name in {**old, **new}:
        label = (new.get(name) or old[name])["label"]
        yield from _limits(both("Totaal “%(label)s”", label=label), old.get(name), new.get(name))
        if name in old and name in new:
            yield from _words(both("Naam van een totaal"), old[name]["label"], new[name]["label"])
            yield from _words(both("Eenheid"), old[name].get("unit"), new[name].get("unit"))


def _caps(before: Any, after: Any) -> Iterator[Detail]:
    old, new = ({(one["field"], one["by"], one["value"]): one["max"] for one in caps or ()} for caps in (before, after))
    for name in {**old, **new}:
        yield from _limits(
            both("Wat hoogstens meetelt voor “%(value)s”", value=name[2]), {"max": old.get(name)}, {"max": new.get(name)}
        )


def _span(before: Any, after: Any) -> Iterator[Detail]:
    old, new = before or {}, after or {}
    label = both("Jaren bij elkaar")
    yield from _limits(label, {"min": old.get("min_years")}, {"min": new.get("min_years")})
    yield from _limits(
        both("Alleen de laatste jaren tellen mee"), {"max": old.get("within_years")}, {"max": new.get("within_years")}
    )
    yield from _limits(both("Langer dan iemand dit werk doet"), {"max": old.get("max_years")}, {"max": new.get("max_years")})
    yield from _words(label, old.get("label"), new.get("label"))
    if old.get("field", new.get("field")) != new.get("field", old.get("field")):
        yield Detail("more", both("De jaren worden anders geteld."))


def _within(before: Any, after: Any) -> Iterator[Detail]:
    if after:
        yield Detail("more", both("Alleen regels met een datum in de periode die telt, tellen mee; dat is veranderd."))
    else:
        yield Detail("less", both("Regels tellen mee, welke datum zij ook hebben."))


def _order(before: Any, after: Any) -> Iterator[Detail]:
    if not after:
        yield Detail("less", both("Deze datum hoeft niet meer voor of na een andere te liggen."))
    elif (before or {}).get("question") != after["question"]:
        yield Detail("more", both("Er wordt gekeken of deze datum voor of na een andere ligt."))


def _distinct(before: Any, after: Any) -> Iterator[Detail]:
    if any(one not in list(before or ()) for one in after or ()):
        yield Detail("more", both("Er wordt op meer punten gekeken of regels niet hetzelfde zijn."))
    else:
        yield Detail("less", both("Er wordt op minder punten gekeken of regels niet hetzelfde zijn."))


def _among(before: Any, after: Any) -> Iterator[Detail]:
    if after:
        yield Detail("more", both("De datum moet een van de data uit een tabel zijn; dat is veranderd."))
    else:
        yield Detail("less", both("De datum hoeft niet meer een van de data uit een tabel te zijn."))


def _chronological(before: Any, after: Any) -> Iterator[Detail]:
    if any(one not in list(before or ()) for one in after or ()):
        yield Detail("more", both("Er wordt nu op gekeken of de data van een regel na elkaar komen."))
    else:
        yield Detail("less", both("Er wordt minder gekeken of de data van een regel na elkaar komen."))


def _begun(before: Any, after: Any) -> Iterator[Detail]:
    if bool(before) != bool(after):
        yield (
            Detail("more", both("De begindatum mag niet meer in de toekomst liggen."))
            if after
            else Detail("less", both("De begindatum mag nu in de toekomst liggen."))
        )


def _reads(before: Any, after: Any) -> Iterator[Detail]:
    if set(before or ()) - set(after or ()) or set(after or ()) - set(before or ()):
        yield Detail("other", both("Uw supervisor leest andere onderdelen dan eerst."))


def _upload(before: Any, after: Any) -> Iterator[Detail]:
    old, new = before is not False, after is not False
    if old != new:
        yield (
            Detail("less", both("Een document mag nu in plaats van het formulier."))
            if new
            else Detail("more", both("Een document mag niet meer in plaats van het formulier."))
        )


def _count(before: Any, after: Any) -> Iterator[Detail]:
    yield from _limits(both("Aantal personen"), {"min": before or 1, "max": before or 1}, {"min": after or 1, "max": after or 1})


def _kind(before: Any, after: Any) -> Iterator[Detail]:
    if (before or statement_settings.KINDS[0]) != (after or statement_settings.KINDS[0]):
        yield Detail("more", both("Iemand anders geeft deze verklaring dan eerst. Wie er al een gaf, telt niet meer mee."))


def _anonymous(before: Any, after: Any) -> Iterator[Detail]:
    if bool(before) != bool(after):
        words = (
            both("Wie antwoordt, doet dat nu zonder naam. Wie al antwoordde, telt niet meer mee.")
            if after
            else both("Wie antwoordt, doet dat nu met naam. Wie al antwoordde, telt niet meer mee en blijft onbekend.")
        )
        yield Detail("more", words)


def _least(before: Any, after: Any) -> Iterator[Detail]:
    usual = statement_settings.LEAST
    yield from _limits(
        both("Aantal personen dat minstens per e-mail antwoordt"), {"min": before or usual}, {"min": after or usual}
    )


def _quote_if(before: Any, after: Any) -> Iterator[Detail]:
    yield Detail("other", both("Wanneer een opmerking letterlijk in uw dossier mag, wordt anders gevraagd."))


def _together_with(before: Any, after: Any) -> Iterator[Detail]:
    yield (
        Detail("less", both("Wat u al op papier hebt, telt nu mee."))
        if after and not before
        else Detail("more", both("Wat u op papier hebt, telt niet meer mee."))
        if before and not after
        else Detail("more", both("Wat u op papier hebt, staat nu in een andere tabel."))
    )


def _days(before: Any, after: Any) -> Iterator[Detail]:
    yield Detail("other", both("Een link in een e-mail werkt een ander aantal dagen dan eerst."))


_TELLERS: Mapping[str, Callable[[Any, Any], Iterator[Detail]]] = {
    "words": _range_of(lambda: both("Aantal woorden")),
    "rows": _range_of(lambda: both("Aantal regels")),
    "files": _range_of(lambda: both("Aantal bewijsstukken")),
    "choose": _range_of(lambda: both("Aantal keuzes")),
    "max_length": _max_length,
    "decimals": _decimals,
    "unit": _text_of(lambda: both("Eenheid")),
    "open": _open,
    "options": _options,
    "levels": _options,
    "text": _text_of(lambda: both("De verklaring waarmee u akkoord gaat"), more=True),
    "kinds": _kinds,
    "refused": _refused,
    "fields": _nested,
    "totals": _totals,
    "caps": _caps,
    "span": _span,
    "within": _within,
    "not_before": _order,
    "not_after": _order,
    "distinct": _distinct,
    "among": _among,
    "chronological": _chronological,
    "begun": _begun,
    "role": _text_of(lambda: both("Wie de verklaring geeft")),
    "reads": _reads,
    "questions": _nested,
    "consent": _text_of(lambda: both("Waarmee uw supervisor akkoord gaat")),
    "independence": _text_of(lambda: both("Wat uw supervisor verklaart over de band met u")),
    "upload": _upload,
    "count": _count,
    "kind": _kind,
    "many": _text_of(lambda: both("Hoe deze verklaringen samen heten")),
    "anonymous": _anonymous,
    "least": _least,
    "quote_if": _quote_if,
    "together_with": _together_with,
    "days": _days,
}
"""By setting: what to say when it differs."""
