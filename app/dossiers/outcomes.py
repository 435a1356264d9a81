"""Anonymous statements: how many are in, and their answers added up so that nobody can tell who gave which.

An outcome is made once: when enough people answered and nobody else is asked. A second one, with one person more, would show that
person's answers as the difference; so from then on nobody can be asked or taken away. What it holds are counts, and remarks in an
order that has nothing to do with who came first; of time only the months.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.accounts.same_person import mailbox, plain_name
from app.dossiers import personal_data
from app.dossiers.contents import Contents, evidence_in
from app.dossiers.models import Statement
from app.extensions import now
from app.schemes import question_types, statement_settings
from app.schemes.model import Question

ZONE = ZoneInfo("Europe/Amsterdam")
SHORTEST_NAME = 3


@dataclass(frozen=True)
class Tally:
    """How it stands with one anonymous question. ``given``: signed; ``waiting``: asked and not answered; ``expired``: of those,
    with a link that no longer works; ``on_paper``: the whole rows of the table that counts too, each with a statement of its own,
    ``unfinished``: its other rows, ``with_paper``: there is such a table; ``free``: places where somebody can be asked;
    ``counted``: the outcome is there.
    """

    needed: int
    least: int
    given: int
    waiting: int
    expired: int
    on_paper: int
    unfinished: int
    with_paper: bool
    free: tuple[int, ...]
    counted: bool

    @property
    def total(self) -> int:
        """How many statements are in, of whatever kind."""
        return self.given + self.on_paper

    @property
    def complete(self) -> bool:
        """Nothing lacks: enough on paper and nobody asked, or an outcome of enough. An outcome that was made while the forms
        asked for fewer stands: nobody else can be asked.
        """
        if self.given or self.waiting:
            return self.counted and (self.total >= self.needed or not self.with_paper)
        return self.total >= self.needed

    @property
    def can_close(self) -> bool:
        """Enough people answered for an outcome, and it is not there yet."""
        return not self.counted and self.given >= self.least and self.total >= self.needed


def tally(contents: Contents, section_id: str, question: Question) -> Tally:
    settings = statement_settings.of(question)
    asked = contents.asked(section_id, question)
    waiting = [one for one in asked if one is not None and one.stage == "invited"]
    given = signed(contents, section_id, question)
    counted = any(one.counted_at is not None for one in given)
    free = [place for place, one in enumerate(asked) if one is None or one.stage == "declined"]
    rows, whole = _on_paper(contents, section_id, settings.together_with)
    return Tally(
        needed=settings.count,
        least=max([settings.least, *(one.asked.get("least", statement_settings.LEAST) for one in given if one.asked)]),
        given=len(given),
        waiting=len(waiting),
        expired=sum(one.token_expires_at < now() for one in waiting),
        on_paper=whole,
        unfinished=rows - whole,
        with_paper=bool(settings.together_with),
        free=() if counted else tuple(free),
        counted=counted,
    )


def _on_paper(contents: Contents, section_id: str, name: str) -> tuple[int, int]:
    """How many rows the table of statements on paper has, and how many of them count: filled in, and their file is checked and
    stands at no row before it, also not under another name.
    """
    table = next((one for one in contents.visible.get(section_id, ()) if one.id == name), None)
    answer = contents.answer(section_id, name)
    if table is None or not isinstance(answer, list):
        return 0, 0
    settings = contents.settings(table, now().astimezone(ZONE).date())
    seen: set[str] = set()
    whole = 0
    for row in question_types.counting(answer, settings):
        files = [contents.evidence.get(item) for item in evidence_in(table, [row])]
        digests = {file.original_sha256 for file in files if file is not None and file.stage == "checked"}
        if len(digests) == len(files) and not digests & seen and not question_types.check_row(row, settings):
            whole += 1
            seen |= digests
    return len(answer), whole


def count(contents: Contents, section_id: str, question: Question) -> None:
    """Makes the outcome of everybody who signed. The caller has seen that it may be made."""
    for one in signed(contents, section_id, question):
        one.counted_at = now()


def of(contents: Contents, section_id: str, question: Question) -> dict[str, Any] | None:
    """The outcome as plain data, without anything that tells people apart; ``None`` as long as there is none.

    ``{"section", "question", "count", "months": [first, last], "questions": [{"id", "counts": [[option, n], …]}],
    "remarks": [{"id", "texts": […], "withheld": n}]}``; a month is ``2026-11``. Where people answered a form that has other words
    by now, ``"asked"`` holds its questions.
    """
    outcome = _made_of(question, signed(contents, section_id, question), contents.dossier.reference)
    return outcome and {"section": section_id, "question": question.id, **outcome}


@dataclass(frozen=True)
class Former:
    """What people gave anonymously for a question that is not asked any more. ``outcome`` is there only when it was made then."""

    question: Question
    count: int
    outcome: dict[str, Any] | None


def former(contents: Contents) -> list[Former]:
    """By question, in the order in which people were asked. What was not added up when it was asked for is never shown."""
    groups: dict[tuple[str, str, str], list[Statement]] = {}
    for one in contents.statements:
        if one.former and one.stage == "signed" and one.asked and one.asked.get("anonymous"):
            key = (one.section_id, one.question_id, json.dumps(one.asked, sort_keys=True))
            groups.setdefault(key, []).append(one)
    found = []
    for given in groups.values():
        question = question_types.question(given[0].asked or {})
        found.append(Former(question, len(given), _made_of(question, given, contents.dossier.reference)))
    return found


def _made_of(question: Question, given: Sequence[Statement], seed: str) -> dict[str, Any] | None:
    counted = [one for one in given if one.counted_at is not None]
    if not counted:
        return None
    asked = counted[0].asked
    months = sorted(one.signed_at.astimezone(ZONE).strftime("%Y-%m") for one in counted if one.signed_at)
    form_asked = statement_settings.as_asked(question, asked)
    nested = [question_types.question(one) for one in form_asked.settings["questions"]]
    answers = [_quotable(one, nested, statement_settings.of(form_asked).quote_if) for one in counted]
    added = added_up(form_asked, answers, seed=seed)
    form = {"asked": asked["questions"]} if asked and asked["questions"] != question.settings["questions"] else {}
    return {"count": len(counted), "months": [months[0], months[-1]], **added, **form}


def added_up(question: Question, answers: Sequence[Mapping[str, Any]], *, seed: str) -> dict[str, Any]:
    """The counts and remarks of several people's answers. The same in whatever order the people come."""
    quote_if = statement_settings.of(question).quote_if
    counts: list[dict[str, Any]] = []
    remarks: list[dict[str, Any]] = []
    for one in map(question_types.question, question.settings["questions"]):
        given = [person.get(one.id) for person in answers]
        if one.type in statement_settings.REMARKS:
            allowed = [person for person in answers if person.get(quote_if) == "yes"]
            written = [str(person[one.id]).strip() for person in allowed if not question_types.nothing(person.get(one.id))]
            texts = sorted(written, key=lambda text, name=one.id: (_digest(seed, name, text), text))  # type: ignore[misc]
            withheld = sum(not question_types.nothing(answer) for answer in given) - len(texts)
            remarks.append({"id": one.id, "texts": texts, "withheld": withheld})
        elif one.type in statement_settings.COUNTED and one.id != quote_if:
            chosen = Counter(value for answer in given for value in (answer if isinstance(answer, list) else [answer]))
            counts.append({"id": one.id, "counts": [[option, chosen[option]] for option in _options(one)]})
    return {"questions": counts, "remarks": remarks}


def average(counts: Sequence[Sequence[Any]]) -> Decimal | None:
    """The mean of a scale, to one decimal: of its levels' own numbers, or of their places when they are no numbers."""
    numbers = all(str(level).isdecimal() for level, _ in counts)
    pairs = [(int(level) if numbers else place, n) for place, (level, n) in enumerate(counts, start=1)]
    people = sum(n for _, n in pairs)
    if not people:
        return None
    return Decimal(Decimal(sum(value * n for value, n in pairs)) / people).quantize(Decimal("0.1"), ROUND_HALF_UP)


def tells_who(statement: Statement, text: str) -> bool:
    """Whether somebody gives his own name or address away in a remark."""
    parts = [part for part in statement.name.replace(",", " ").split() if len(part) >= SHORTEST_NAME and part[:1].isupper()]
    written = "".join(letter if letter.isalnum() or letter in "-'’" else " " for letter in text).split()
    longer = {plain_name(part) for part in parts if len(part) > SHORTEST_NAME}  # "wil" and "bas" are words too
    addresses = {mailbox(word.strip(".,;:()<>\"'")) for word in text.split() if "@" in word}
    return (
        any(part in written for part in parts)
        or not longer.isdisjoint(map(plain_name, written))
        or plain_name(statement.name) in plain_name(text)
        or mailbox(statement.email) in addresses
    )


def tells_of(statement: Statement, text: str) -> list[str]:
    """Words in a remark that look like personal data of anybody but the candidate, such as a phone number."""
    owner = statement.dossier.owner
    found = personal_data.find(text, personal_data.Known(names=[owner.name], emails=[owner.email]))
    return list(dict.fromkeys(one.excerpt for one in found))


def _quotable(statement: Statement, asked: Sequence[Question], quote_if: str) -> dict[str, Any]:
    """The answers, without leave to quote where a remark tells who it is: it may be older than the check on the form."""
    remarks = [str(statement.data.get(one.id) or "") for one in asked if one.type in statement_settings.REMARKS]
    if any(tells_who(statement, text) or tells_of(statement, text) for text in remarks):
        return {**statement.data, quote_if: ""}
    return dict(statement.data)


def signed(contents: Contents, section_id: str, question: Question) -> list[Statement]:
    """Everybody who answered what is asked now."""
    return [
        one
        for one in contents.statements
        if (one.section_id, one.question_id, one.stage) == (section_id, question.id, "signed") and not one.former
    ]


def _options(question: Question) -> list[str]:
    return [str(one["id"]) for one in question.settings["levels" if question.type == "scale" else "options"]]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
