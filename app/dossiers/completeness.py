"""What still stands in the way of submitting. Pure: the task list, the section pages and ``submit`` share it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from app import plugin_loader
from app.dossiers import outcomes, statements
from app.dossiers.contents import Contents, evidence_in
from app.dossiers.models import Statement
from app.extensions import now
from app.plugin_api import Finding, QuestionType
from app.schemes import question_types, schemas, statement_settings
from app.schemes.loader import Catalogue
from app.schemes.model import Question, Section
from app.texts import both, both_n

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
    if today > contents.dossier.submit_before:
        findings.append(
            Finding(
                section="",
                text=both(
                    "De datum om in te dienen is voorbij. Vraag het secretariaat om uitstel en vertel waarom u meer tijd nodig "
                    "hebt."
                ),
            )
        )
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
        settings = contents.settings(question, today)
        found += [
            Finding(section=section.id, question=question.id, row=problem.row, field=problem.field, text=problem.text)
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
            {"id": item.id, "title": item.shown_title, "kind": item.kind, "pages": item.pages}
            for item in contents.evidence.values()
        ],
        "statements": [
            {"section": one.section_id, "question": one.question_id, "stage": one.stage}
            for one in contents.statements
            if not one.former
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
    newest = [one for question in asked for one in contents.asked(section.id, question) if one is not None]
    refused = any(item in contents.evidence and contents.evidence[item].stage == "refused" for item in files)
    wrong = any(
        one.stage == "declined" or statements.is_stale(one, contents) for one in newest if not statements.is_anonymous(one)
    )
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
    """What still lacks of one statement question: at most one finding for each supervisor that it asks for, and one together
    for people who answer anonymously.
    """
    if statement_settings.of(question).anonymous:
        words = _tally_problem(contents, section, question, also_waiting=also_waiting)
        return [Finding(section=section.id, question=question.id, text=words)] if words else []
    asked = contents.asked(section.id, question)
    found: list[Finding] = []
    for number, statement in enumerate(asked, start=1):
        text = _statement_problem(contents, question, statement, also_waiting=also_waiting)
        if statement is None and text and len(asked) > 1:
            role = statement_settings.of(question).role
            text = both("Nodig %(role)s %(n)s van %(total)s uit voor een verklaring.", role=role, n=number, total=len(asked))
        if text:
            found.append(Finding(section=section.id, question=question.id, text=text))
    return found


def _statement_problem(
    contents: Contents, question: Question, statement: Statement | None, *, also_waiting: bool
) -> Mapping[str, str] | None:
    if statement is None:
        role = statement_settings.of(question).role
        return both("Nodig uw %(role)s uit voor een verklaring.", role=role) if question.required else None
    name = statement.name
    if statement.stage == "declined":
        return both("%(name)s geeft de verklaring niet. Nodig iemand anders uit.", name=name)
    if statement.stage == "invited" and statement.token_expires_at < now():
        return both("De link van %(name)s is verlopen. Stuur een herinnering met een nieuwe link.", name=name)
    if statement.stage == "invited":
        return both("%(name)s heeft de verklaring nog niet ondertekend.", name=name) if also_waiting else None
    if statements.is_stale(statement, contents):
        return both(
            "Nadat %(name)s ondertekende, is gewijzigd wat %(name)s las. Vraag %(name)s om opnieuw te bevestigen.", name=name
        )
    return None


def _tally_problem(contents: Contents, section: Section, question: Question, *, also_waiting: bool) -> Mapping[str, str] | None:
    """What lacks of statements that people give anonymously, counted together with those on paper."""
    tally, many = outcomes.tally(contents, section.id, question), statement_settings.of(question).many
    if tally.complete or not (question.required or tally.total or tally.waiting):
        return None
    if tally.total < tally.needed:
        lacking = tally.needed - tally.total - tally.waiting
        if lacking <= 0 and not tally.expired and not also_waiting:
            return None
        sentences = [progress_words(tally, many)]
        if lacking > 0 and tally.counted:
            sentences.append(
                both_n(
                    "Het vragen per e-mail is afgesloten. Voeg er nog %(n)s toe op papier; vraag daar zo nodig nog iemand om.",
                    "Het vragen per e-mail is afgesloten. Voeg er nog %(n)s toe op papier; vraag daar zo nodig nog mensen om.",
                    lacking,
                )
            )
        elif lacking > 0:
            sentences.append(both_n("Vraag nog %(n)s persoon.", "Vraag nog %(n)s personen.", lacking))
        if tally.unfinished:
            sentences.append(unfinished_words(tally))
        if tally.expired:
            sentences.append(
                both_n("Van %(n)s persoon is de link verlopen.", "Van %(n)s personen is de link verlopen.", tally.expired)
            )
        return {language: " ".join(one[language] for one in sentences) for language in sentences[0]}
    if tally.given and tally.given < tally.least:
        lacking = tally.least - tally.given - tally.waiting
        if lacking <= 0 and not also_waiting:
            return None
        return both(
            "Per e-mail zijn er minstens %(least)s nodig, anders is te zien wie wat antwoordde. Er zijn er %(n)s binnen.",
            least=tally.least,
            n=tally.given,
        )
    if tally.given:
        return both("Er zijn genoeg %(many)s binnen. Sluit het vragen af; dan ziet u de uitkomst.", many=many)
    if not also_waiting:
        return None
    return both_n(
        "Er staat nog %(n)s uitnodiging open. Wacht op het antwoord of trek haar in.",
        "Er staan nog %(n)s uitnodigingen open. Wacht op de antwoorden of trek ze in.",
        tally.waiting,
    )


def unfinished_words(tally: outcomes.Tally) -> dict[str, str]:
    return both_n(
        "%(n)s verklaring op papier telt nog niet mee: vul de regel in, met een eigen bestand.",
        "%(n)s verklaringen op papier tellen nog niet mee: vul de regels in, elk met een eigen bestand.",
        tally.unfinished,
    )


def progress_words(tally: outcomes.Tally, many: Mapping[str, str]) -> dict[str, str]:
    """ "Er zijn 3 van de 5 tevredenheidsverklaringen binnen." """
    if not tally.total:
        return both("Er is nog geen van de %(total)s %(many)s binnen.", total=tally.needed, many=many)
    return both_n(
        "Er is %(n)s van de %(total)s %(many)s binnen.",
        "Er zijn %(n)s van de %(total)s %(many)s binnen.",
        tally.total,
        total=tally.needed,
        many=many,
    )


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
        elif also_waiting and item in contents.replacements and contents.replacements[item].stage == "received":
            text = both("Het nieuwe bestand voor %(name)s wordt nog gecontroleerd.", name=evidence.shown_title)
        if text is not None:
            found.append(Finding(section=section.id, question=question.id, text=text))
    return found
