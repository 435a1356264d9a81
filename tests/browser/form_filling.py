"""Fills a dossier as a person does: page by page, in the fields of the form, with the answers of the demo."""

import calendar
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Locator, Page, expect

from app.config import ROOT
from app.schemes.model import Question, Section
from app.schemes.question_types import EVIDENCE_KINDS
from app.schemes.question_types import question as as_question

DOSSIERS = ROOT / "app" / "demo" / "dossiers"
KINDS = {".pdf": "pdf", ".jpg": "jpg", ".png": "png", ".heic": "heic", ".docx": "docx"}


def answers_of(name: str) -> dict[str, Any]:
    """A file of demo answers, with its dates as typed on a page."""
    return _typed(yaml.safe_load((DOSSIERS / f"{name}.yaml").read_text()))


def _typed(answer: Any) -> Any:
    if isinstance(answer, Mapping):
        if "ago" in answer or "ahead" in answer:
            return _date(answer.get("ahead", 0) - answer.get("ago", 0), answer["day"])
        return {key: _typed(one) for key, one in answer.items()}
    return [_typed(one) for one in answer] if isinstance(answer, list) else answer


def _date(months: int, day: int) -> dict[str, str]:
    today = date.today()  # noqa: DTZ011  the page counts in the days of its reader too
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    found = date(year, month + 1, min(day, calendar.monthrange(year, month + 1)[1]))
    found -= timedelta(days=max(0, found.weekday() - 4))
    return {"day": str(found.day), "month": str(found.month), "year": str(found.year)}


def button(place: Page | Locator, action: str) -> Locator:
    """The button of a form that stands for this action; the hidden one, for Enter, aside."""
    return place.locator(f"button.govuk-button[name=action][value={action}]")


def send(page: Page, action: str) -> None:
    """Presses a button of the form; the page that follows must not name anything wrong."""
    with page.expect_event("domcontentloaded"):
        button(page, action).click()
    summary = page.locator(".govuk-error-summary")
    assert summary.count() == 0, f"{page.url}: {summary.inner_text()}"


class Filler:
    """Types answers into the pages of one dossier. New files are handed in where they fit; after that the folder has enough."""

    def __init__(self, page: Page, new_files: Sequence[Path] = ()) -> None:
        self.page = page
        self.new_files = list(new_files)
        self.chosen: Counter[str] = Counter()  # how often a file was chosen for this question: each row gets another

    def section(self, section: Section, answers: Mapping[str, Any]) -> None:
        """Everything on the page of ``section`` but statements; a question that is hidden until now must have come up."""
        for question in section.questions:
            if question.type != "statement" and question.id in answers:
                expect(self.page.locator(f"[data-question='{question.id}']")).to_be_visible()
                self.question(question, question.id, answers[question.id])

    def question(self, question: Question, name: str, answer: Any) -> None:
        fill = getattr(self, f"_{question.type}")
        fill(question, name, answer)

    def finish(self) -> None:
        """Says that the section is ready and goes on, once its files have been looked at."""
        expect(self.page.get_by_text("Wordt gecontroleerd")).to_have_count(0, timeout=60_000)
        self.page.locator("[name=finished][value=yes]").check()
        self.go_on()

    def go_on(self) -> None:
        send(self.page, "continue")

    def _field(self, name: str) -> Locator:
        return self.page.locator(f"[name='{name}']:visible")

    def _short_text(self, question: Question, name: str, answer: str) -> None:
        self._field(name).fill(answer)

    _number = _long_text = _short_text

    def _date(self, question: Question, name: str, answer: Mapping[str, str]) -> None:
        for part in ("day", "month", "year"):
            self._field(f"{name}.{part}").fill(answer[part])

    def _period(self, question: Question, name: str, answer: Mapping[str, Mapping[str, str]]) -> None:
        for end in ("from", "to"):
            self._date(question, f"{name}.{end}", answer[end])

    def _choice(self, question: Question, name: str, answer: str) -> None:
        listed = self.page.locator(f"select[name='{name}']")
        if listed.count():  # a long list
            listed.select_option(answer)
        else:
            self._scale(question, name, answer)

    def _scale(self, question: Question, name: str, answer: str) -> None:
        self.page.locator(f"[name='{name}'][value='{answer}']").check()

    _declaration = _scale

    def _choices(self, question: Question, name: str, answer: Sequence[str]) -> None:
        for one in answer:
            self._scale(question, name, one)

    def _table(self, question: Question, name: str, answer: Sequence[Mapping[str, Any]]) -> None:
        """Each row on its own page."""
        section_address = self.page.url.partition("#")[0].partition("?")[0]
        for row in answer:
            self.page.locator(f"#{name}").click()
            for field in map(as_question, question.settings["fields"]):
                if field.id in row:
                    self.question(field, f"{name}.{field.id}", row[field.id])
            send(self.page, "save")
            assert self.page.url.startswith(section_address), self.page.url
        expect(self.page.locator(f"section[aria-labelledby='{name}-title'] .rows > li")).to_have_count(len(answer))

    def _evidence(self, question: Question, name: str, answer: Mapping[str, Sequence[str]]) -> None:
        """As many files as the answer has: new ones as far as they fit, the rest from the folder."""
        kinds = question.settings.get("kinds", EVIDENCE_KINDS)
        new = [path for path in self.new_files if KINDS[path.suffix] in kinds][: len(answer["files"])]
        self.new_files = [path for path in self.new_files if path not in new]
        if new:
            self.upload(name, *new)
        if wanted := len(answer["files"]) - len(new):
            self._choose(name, wanted)

    def upload(self, name: str, *paths: Path) -> None:
        """They are sent as soon as they are chosen."""
        field = self.page.locator(f"[name='{name}.upload']").first
        box = self._box(field)
        field.set_input_files(paths)
        for path in paths:
            expect(box.get_by_text(path.name).first).to_be_visible()
        if "." in name:  # on a row's page they go along with the row
            expect(box.locator(f"input[type=hidden][name='{name}']")).to_have_count(len(paths))
        else:
            expect(box.locator(".upload .files > li:not(:has(.files__reason))")).to_have_count(0)

    def _choose(self, name: str, wanted: int) -> None:
        box = self._box(self.page.locator(f"[name='{name}.upload']").first)
        if "." in name:
            box = self.page.locator(f"details:has([name='{name}'])")
            box.locator("summary").click()
            boxes = box.locator(f"input[type=checkbox][name='{name}']")
        else:
            box.get_by_role("button", name="Kies uit uw bewijsmap").click()
            boxes = self.page.locator("input[name=files]")
        expect(boxes.first).to_be_visible()
        count = boxes.count()
        for _ in range(min(wanted, count)):
            boxes.nth(self.chosen[name] % count).check()
            self.chosen[name] += 1
        if "." not in name:
            with self.page.expect_event("domcontentloaded"):
                self.page.get_by_role("button", name="Gebruik deze bestanden").click()

    def _box(self, field: Locator) -> Locator:
        return self.page.locator("section").filter(has=field).last
