"""What still stands in the way of submitting. Pure: the task list, the section pages and ``submit`` share it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from app import plugin_loader
from app.dossiers import statements
from app.dossiers.contents import Contents, evidence_in
from app.extensions import now
from app.plugin_api import Finding, QuestionType
from app.schemes import question_types, schemas
from app.schemes.loader import Catalogue
from app.schemes.model import Question, Section
from app.texts import both

Status = Literal["done", "busy", "todo", "waiting", "problem"]


@dataclass(frozen=True)
class Progress:
    """A section as the task list shows it. ``findings`` are those of this section."""

    section: Section
    status: Status
    findings: tuple[Finding, ...]
    words: int
    evidence: int


def check(contents: Contents, catalogue: Catalogue, today: date) -> tuple[Finding, ...]:
    """All findings, in the order of the dossier. None means: ready to submit."""
    plugins = catalogue.plugins_of(contents.template)
    data = hook_data(contents, today)
    of_plugins = [one for plugin in plugins for one in plugin_loader.call_hook(plugin, "check_dossier", data)]
    findings = [  # after the hooks: one that fails disables its plugin, and then nothing may pass unchecked
        Finding(
            section=plugin.id,
            text=both("De specialisatie %(title)s is nu niet beschikbaar. Het secretariaat weet ervan.", title=plugin.title),
        )
        for plugin in plugins
        if not plugin.enabled
    ]
    for section in contents.template.sections:
        findings += section_findings(contents, section, catalogue.types, today)
        if section.id not in contents.finished and contents.visible[section.id]:
            findings.append(
                Finding(section=section.id, text=both("Geef aan dat u dit onderdeel hebt afgerond."), question="finished")
            )
    return (*findings, *of_plugins)


def section_findings(
    contents: Contents, section: Section, types: Mapping[str, QuestionType], today: date, *, also_waiting: bool = True
) -> list[Finding]:
    """The findings of one section's questions, without the mark that it is finished.

    ``also_waiting``: also what only waits for others, such as a file that is being checked or a supervisor who is to sign.
    """
    found: list[Finding] = []
    for question in contents.visible[section.id]:
        if question.type == "statement":
            found += _statement_findings(contents, section, question, also_waiting=also_waiting)
            continue
        answer = contents.answer(section.id, question.id)
        kind = types.get(question.type)
        if kind is None:
            continue  # its plugin is missing or faulty: one finding for the plugin says so
        if kind.is_empty(answer):
            if question.required:
                found.append(Finding(section=section.id, question=question.id, text=missing(question)))
            continue
        settings = {**question.settings, "today": today.isoformat()}
        found += [
            Finding(section=section.id, question=question.id, row=problem.row, text=problem.text)
            for problem in kind.check(answer, settings)
        ]
        found += _evidence_findings(contents, section, question, answer, also_waiting=also_waiting)
    return found


def missing(question: Question) -> Mapping[str, str]:
    """What to say of a required question without an answer."""
    if question.type in ("choice", "choices", "scale"):
        return both("Maak een keuze: %(label)s", label=question.label)
    if question.type == "evidence":
        return both("Voeg een bewijsstuk toe: %(label)s", label=question.label)
    if question.type == "table":
        return both("Voeg minstens één regel toe: %(label)s", label=question.label)
    if question.type == "declaration":
        return both("Deze verklaring is nodig: %(label)s", label=question.label)
    return both("Vul in: %(label)s", label=question.label)


def progress(contents: Contents, findings: Sequence[Finding]) -> list[Progress]:
    """How far each section is, for the task list."""
    return [_section_progress(contents, section, findings) for section in contents.template.sections]


def hook_data(contents: Contents, today: date) -> dict[str, Any]:
    """The plain data that ``check_dossier`` gets (shape: see plugin_api)."""
    return {
        "reference": contents.dossier.reference,
        "language": contents.dossier.language,
        "today": today.isoformat(),
        "template": schemas.dump(contents.template),
        "answers": {
            section.id: {
                question.id: contents.answer(section.id, question.id)
                for question in contents.visible[section.id]
                if contents.answer(section.id, question.id) is not None
            }
            for section in contents.template.sections
        },
        "evidence": [
            {"id": item.id, "title": item.name, "kind": item.kind, "pages": item.pages} for item in contents.evidence.values()
        ],
        "statements": [
            {"section": one.section_id, "question": one.question_id, "stage": one.stage} for one in contents.statements
        ],
    }


def _section_progress(contents: Contents, section: Section, findings: Sequence[Finding]) -> Progress:
    own = tuple(one for one in findings if one.section == section.id)
    answers = contents.answers.get(section.id, {})
    words = 0
    files: set[int] = set()
    for question in contents.visible[section.id]:
        answer = answers.get(question.id)
        files.update(evidence_in(question, answer))
        if question.type == "long_text" and isinstance(answer, str):
            words += question_types.count_words(answer)
    asked = [question for question in contents.visible[section.id] if question.type == "statement"]
    newest = [one for one in (contents.statement(section.id, question.id) for question in asked) if one is not None]
    refused = any(item in contents.evidence and contents.evidence[item].stage == "refused" for item in files)
    wrong = any(one.stage == "declined" or statements.is_stale(one, contents) for one in newest)
    status: Status
    if not own:
        status = "done"
    elif refused or wrong:
        status = "problem"
    elif any(one.stage == "invited" for one in newest):
        status = "waiting"
    elif section.id in contents.finished:
        status = "problem"
    elif newest or not all(question_types.nothing(answer) for answer in answers.values()):
        status = "busy"
    else:
        status = "todo"
    return Progress(section=section, status=status, findings=own, words=words, evidence=len(files))


def _statement_findings(contents: Contents, section: Section, question: Question, *, also_waiting: bool) -> list[Finding]:
    statement = contents.statement(section.id, question.id)

    def finding(text: Mapping[str, str]) -> list[Finding]:
        return [Finding(section=section.id, question=question.id, text=text)]

    if statement is None:
        return finding(both("Nodig uw supervisor uit voor een verklaring.")) if question.required else []
    name = statement.name
    if statement.stage == "declined":
        return finding(both("%(name)s geeft de verklaring niet. Nodig iemand anders uit.", name=name))
    if statement.stage == "invited" and statement.token_expires_at < now():
        return finding(both("De link van %(name)s is verlopen. Stuur een herinnering met een nieuwe link.", name=name))
    if statement.stage == "invited" and not also_waiting:
        return []
    if statement.stage == "invited":
        return finding(both("%(name)s heeft de verklaring nog niet ondertekend.", name=name))
    if statements.is_stale(statement, contents):
        return finding(
            both(
                "Nadat %(name)s ondertekende, is gewijzigd wat %(name)s las. Trek de verklaring in en vraag een nieuwe.",
                name=name,
            )
        )
    return []


def _evidence_findings(
    contents: Contents, section: Section, question: Question, answer: Any, *, also_waiting: bool
) -> list[Finding]:
    found = []
    for item in dict.fromkeys(evidence_in(question, answer)):
        evidence = contents.evidence.get(item)
        text: Mapping[str, str] | None = None
        if evidence is None:
            text = both("Een bewijsstuk bij deze vraag staat niet meer in uw bewijsmap. Kies een ander.")
        elif evidence.stage == "received" and also_waiting:
            text = both("%(name)s wordt nog gecontroleerd. Dit duurt meestal een paar seconden.", name=evidence.name)
        elif evidence.stage == "refused":
            text = evidence.refusal
        if text is not None:
            found.append(Finding(section=section.id, question=question.id, text=text))
    return found
