"""What a form holds, counted: sections, questions and words in each language, for whoever writes or looks after forms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import Text
from app.schemes.loader import Catalogue
from app.schemes.model import Section
from app.texts import LANGUAGES

UNLIKE = (0.8, 1.35)
"""English words for each Dutch one, in all texts together: outside this, something was cut short or not translated."""


@dataclass(frozen=True)
class Counted:
    """One scheme version or plugin. ``guidance`` and ``words``: the words of its help and of all its texts, by language."""

    name: str
    sections: int
    areas: int
    criteria: int
    questions: int
    guidance: Mapping[str, int]
    words: Mapping[str, int]

    @property
    def ratio(self) -> float:
        """English words for each Dutch one."""
        return self.words["en"] / max(self.words["nl"], 1)


def count(catalogue: Catalogue) -> list[Counted]:
    """Every scheme version without plugins, then every working plugin."""
    found = [
        _counted(f"{scheme} {version}", one.template.sections, [vars(one.template)])
        for (scheme, version), one in catalogue.schemes.items()
    ]
    for contribution in catalogue.contributions.values():
        sections = [one.section for one in contribution.placed]
        manifest = contribution.plugin.manifest
        found.append(_counted(contribution.plugin.id, sections, [manifest.data if manifest else {}, *map(vars, sections)]))
    return found


def same_in_both(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Texts of three words or more that are the same in both languages, each with the scheme or plugin that it stands in."""
    places = [(f"{scheme} {version}", vars(one.template)) for (scheme, version), one in catalogue.schemes.items()]
    places += [(one.plugin.id, {"placed": [each.section for each in one.placed]}) for one in catalogue.contributions.values()]
    return [
        (name, text["nl"])
        for name, place in places
        for text in texts(place)
        if len(text["nl"].split()) > 2 and text["nl"].casefold() == text["en"].casefold()
    ]


def texts(value: Any) -> Iterator[Text]:
    """Every text in both languages that stands anywhere in definitions or plain data."""
    if isinstance(value, Mapping):
        if value.keys() == set(LANGUAGES):
            yield value
        else:
            for inner in value.values():
                yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)
    elif hasattr(value, "__dataclass_fields__"):
        yield from texts(vars(value))


def as_markdown(rows: Sequence[Counted]) -> str:
    """The counts as a Markdown table; a ratio that is unlike the others stands in bold."""
    lines = [
        "| | sections | areas | criteria | questions | guidance nl | guidance en | words nl | words en | en/nl |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in rows:
        ratio = f"{one.ratio:.2f}" if UNLIKE[0] <= one.ratio <= UNLIKE[1] else f"**{one.ratio:.2f}**"
        cells = [one.name, one.sections, one.areas, one.criteria, one.questions]
        cells += [one.guidance["nl"], one.guidance["en"], one.words["nl"], one.words["en"], ratio]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _counted(name: str, sections: Sequence[Section], all_of_it: Any) -> Counted:
    return Counted(
        name=name,
        sections=len(sections),
        areas=sum(section.is_area for section in sections),
        criteria=sum(len(section.criteria) for section in sections),
        questions=sum(len(section.questions) for section in sections),
        guidance=_words([section.guidance for section in sections]),
        words=_words(all_of_it),
    )


def _words(value: Any) -> dict[str, int]:
    found = list(texts(value))
    return {language: sum(len(text[language].split()) for text in found) for language in LANGUAGES}
