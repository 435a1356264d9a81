"""A full dossier of any scheme that we ship, as a snapshot: every question answered, in the length that it asks for."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import sample_dossier

from app.config import Settings
from app.dossiers import outcomes
from app.schemes import conditions, loader, schemas, statement_settings
from app.schemes.model import DossierTemplate, Question, Section
from app.texts import pick

TODAY = {"day": "1", "month": "11", "year": "2026"}
KINDS = ("pdf", "jpg", "docx")
# What rows of tables say: by id of the field, in turn. The periods overlap once and leave a gap once.
WORDS = {
    "position": ("Loopbaanadviseur", "Loopbaancoach", "Adviseur mobiliteit", "Consulent loopbaan"),
    "organisation": (
        "Van Dijk Loopbaan en Advies",
        "Zelfstandig, praktijk De Vries",
        "Provincie Noord-Holland",
        "UWV WERKbedrijf",
    ),
    "name": ("De planner die wilde bouwen", "Elf banen in twintig jaar", "Het overleg van half drie", "Terug naar de klas"),
    "client": (
        "Vrouw van rond de 45, hbo, zorg",
        "Man van rond de 30, mbo, techniek",
        "Man van rond de 55, hbo, logistiek",
        "Vrouw van rond de 35, wo, onderwijs",
    ),
    "question": (
        "Blijven of vertrekken?",
        "Wat past bij mij na de reorganisatie?",
        "Hoe kom ik weer aan het werk?",
        "Kan ik dit tot mijn pensioen?",
    ),
    "title": (
        "Basistraining oplossingsgericht werken",
        "Congres Loopbaan en Arbeid",
        "Leergang loopbaantheorie",
        "Gastles hogeschool: loopbaan en recht",
    ),
    "provider": ("Instituut voor Toegepaste Loopbaankunde", "Vakgroep Loopbaan en Arbeid", "Open Leergang", "Hogeschool Noord"),
}
PERIODS = (
    ((1, 3, 2023), (31, 10, 2026)),
    ((1, 9, 2019), (31, 8, 2021)),
    ((1, 1, 2021), (30, 6, 2022)),
    ((15, 2, 2017), (30, 4, 2018)),
)
STEPS = {
    "nl": ("Situatie", "Taak", "Actie", "Resultaat", "Reflectie"),
    "en": ("Situation", "Task", "Action", "Result", "Reflection"),
}
AMOUNTS = (24, 16, 12.5, 36)


@cache
def catalogue() -> loader.Catalogue:
    return loader.load_all(Settings())


def snapshot(scheme: str, *plugins: str, version: str = "2026.1", language: str = "nl") -> dict[str, Any]:
    """Of ``sample_dossier``'s shape and candidate, with the scheme's own questions and a statement for each that asks one."""
    template = loader.compose(catalogue(), scheme, version, plugins)
    filling = _Filling(template, language)
    data = sample_dossier.snapshot(language=language)
    data.update(
        reference=f"{template.reference_prefix}-2026-0042",
        candidate={"name": "Sanne de Vries", "email": "sanne@example.org"},
        template=schemas.dump(template),
        answers=filling.answers(),
        statements=list(filling.statements(data["statements"][0])),
        outcomes=list(filling.outcomes()),
        declarations=[{"id": one.id, "text": pick(one.text, language)} for one in template.declarations],
    )
    data["evidence"] = filling.evidence()
    return data


def evidence_files(folder: Path, content: Mapping[str, Any]) -> dict[int, Path]:
    """Pages for each appendix of a snapshot that has them, by number."""
    return {
        item["number"]: sample_dossier.evidence_pdf(folder / f"{item['number']}.pdf", [{}] * item["pages"])
        for item in content["evidence"]
        if item["pages"]
    }


class _Filling:
    """Answers what the conditions show; holds which evidence was used where."""

    def __init__(self, template: DossierTemplate, language: str) -> None:
        self.template, self.language = template, language
        self.used: dict[int, list[list[str]]] = {}
        self.seen = 0

    def answers(self) -> dict[str, dict[str, Any]]:
        """Twice, because answers decide which questions are shown."""
        answers: dict[str, dict[str, Any]] = {}
        for _ in range(3):
            shown = conditions.visible(self.template, answers)
            self.used, self.seen = {}, 0
            answers = {
                section.id: {
                    question.id: self.answer(section, question, question.type, question.settings)
                    for question in shown[section.id]
                    if question.type != "statement"
                }
                for section in self.template.sections
            }
        return answers

    def statements(self, pattern: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        asked = [pair for pair in self.asked() if not statement_settings.of(pair[1]).anonymous]
        for number, (section, question) in enumerate(asked, start=1):
            answers = {
                one["id"]: self.answer(section, question, one["type"], one) for one in question.settings.get("questions", ())
            }
            yield {**pattern, "id": number, "section": section.id, "question": question.id, "answers": answers}

    def asked(self) -> list[tuple[Section, Question]]:
        return [(section, one) for section, one in self.template.questions() if one.type == "statement"]

    def outcomes(self) -> Iterator[dict[str, Any]]:
        """Five people, who do not agree in everything, and of whom one wants no remark shown."""
        for section, question in self.asked():
            if not statement_settings.of(question).anonymous:
                continue
            people = []
            for number in range(5):
                person = {one["id"]: self.answer(section, question, one["type"], one) for one in question.settings["questions"]}
                for one in question.settings["questions"]:
                    if one["type"] == "scale":
                        person[one["id"]] = one["levels"][-1 - number % 3]["id"]
                people.append({**person, "may_quote": "yes" if number else "no"})
            added = outcomes.added_up(question, people, seed="test")
            yield {"section": section.id, "question": question.id, "count": 5, "months": ["2026-09", "2026-11"], **added}

    def answer(self, section: Section, question: Question, kind: str, settings: Mapping[str, Any]) -> Any:
        match kind:
            case "long_text":
                return self.prose(section, (settings.get("words") or {}).get("min") or 60)
            case "number":
                return str(settings.get("min", 12)).replace(".", ",")
            case "date":
                return {**TODAY, "year": "2027" if settings.get("min") == "today" else "2025"}
            case "period":
                return {"from": {**TODAY, "year": "2023"}, "to": {**TODAY, "year": "2025"}}
            case "choice" | "scale":
                return (settings.get("options") or settings["levels"])[0]["id"]
            case "choices":
                return [one["id"] for one in settings["options"][:3]]
            case "declaration":
                return "yes"
            case "evidence":
                return [self.proof(section, question) for _ in range((settings.get("files") or {}).get("min") or 1)]
            case "table":
                return list(self.rows(section, question, settings))
        return ("Vakgroep Loopbaan en Arbeid", "Gesprek over uitstroom", "Noord-Holland", "Samen een besluit voorbereid")[
            self.next() % 4
        ]

    def rows(self, section: Section, question: Question, settings: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for number in range(max((settings.get("rows") or {}).get("min") or 1, 4)):
            row: dict[str, Any] = {"row": f"r{number}"}
            for field in settings["fields"]:
                answer = self.answer(section, question, field["type"], {**field, "words": {"min": 25}})
                row[field["id"]] = _varied(field, number, answer)
            yield row

    def prose(self, section: Section, least: int) -> str:
        """What candidates tell in the examples, in paragraphs, until it is long enough; a case by the steps of STARR."""
        told = [one.guidance.example for one in self.template.sections if one.guidance.example]
        sentences = [sentence for text in told for sentence in _sentences(pick(text, self.language))]
        if least < 40:
            return " ".join(" ".join(sentences[self.next() % len(sentences) :] + sentences).split()[: least + 2])
        paragraphs: list[str] = []
        if section.guidance.starr and section.guidance.example and least >= 250:
            own = _sentences(pick(section.guidance.example, self.language))
            for number, step in enumerate(STEPS[self.language]):
                part = own[number * len(own) // 5 : (number + 1) * len(own) // 5]
                paragraphs.append(f"**{step}.** {' '.join(part)}")
        while sum(len(one.split()) for one in paragraphs) < least + 20:
            start = self.next() * 4 % len(sentences)
            paragraphs.append(" ".join(sentences[start : start + 4]))
        return "\n\n".join(paragraphs)

    def proof(self, section: Section, question: Question) -> int:
        """A new appendix, or now and then an earlier one."""
        number = len(self.used) + 1 if self.next() % 3 else max(1, len(self.used))
        place = [section.id, question.id]
        if place not in self.used.setdefault(number, []):
            self.used[number].append(place)
        return number

    def evidence(self) -> list[dict[str, Any]]:
        def item(number: int, places: Sequence[Any]) -> dict[str, Any]:
            kind = KINDS[number % 3]
            title = f"Bewijsstuk {number} bij {pick(self.template.section(places[0][0]).title, self.language)}"  # type: ignore[union-attr]
            return sample_dossier._item(number, number, f"{title}.{kind}", title, kind, 1 + number % 3, list(places))

        return [item(number, places) for number, places in self.used.items()]

    def next(self) -> int:
        self.seen += 1
        return self.seen


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.?!”])\s+(?=[A-ZÉ“‘])", text)


def _varied(field: Mapping[str, Any], number: int, answer: Any) -> Any:
    """Another value for each row, where rows that are all the same would show nothing."""
    turn = number % 4
    match field["type"]:
        case "short_text" if field["id"] in WORDS:
            return WORDS[field["id"]][turn]
        case "period":
            return {
                end: dict(zip(("day", "month", "year"), map(str, day), strict=True))
                for end, day in zip(("from", "to"), PERIODS[turn], strict=True)
            }
        case "date" if field.get("min") != "today":
            return {"day": str(3 + 5 * turn), "month": str(2 + 2 * turn), "year": str(2024 + number % 2)}
        case "number":
            amount = AMOUNTS[turn] if field.get("max", 0) >= 40 else AMOUNTS[turn] / 4
            rounded = round(amount * 2) / 2 if field.get("decimals") else round(amount)
            return f"{rounded:g}".replace(".", ",")
        case "choice":
            options = field.get("options") or [{"id": answer}]
            return options[number % len(options)]["id"]
    return answer
