"""The dossiers of the demo as data: whose, of which scheme, and how far each has come. What they say stands in ``dossiers/``
and ``evidence/``, each under the name before the @ of the person's address.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.demo.people import BRAM, FENNA, HALFWAY, INES, LOIS, MAURITS, NOOR, ORLA, SHOWCASE, WIM, Person

VERSION = "2026.1"  # what the data files are written for
Fate = Literal["open", "to_admit", "returned", "to_assign", "assigned", "withdrawn"]
SEALED: tuple[Fate, ...] = ("to_admit", "to_assign", "assigned")


@dataclass(frozen=True)
class Story:
    """One dossier. ``finished``: the sections that are marked so; ``None``: all that have answers. ``loose_files``: files at a
    question that the data file does not answer.

    ``supervisor``: whether one was asked, or signed too; ``clients``: whether they answered; ``mentored``: by the demo's mentor.
    """

    person: Person
    scheme: str
    plugins: tuple[str, ...] = ()
    fate: Fate = "open"
    language: str = "nl"
    finished: Sequence[str] | None = None
    loose_files: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    supervisor: Literal["", "asked", "signed"] = ""
    clients: bool = False
    mentored: bool = False

    @property
    def name(self) -> str:
        return self.person.email.partition("@")[0]


STORIES = (
    Story(SHOWCASE, "recertification", ("outplacement",), "assigned", supervisor="signed", clients=True),
    Story(
        HALFWAY,
        "recertification",
        ("outplacement",),
        finished=("personal", "practice"),
        loose_files={("outplacement_intake", "evidence"): ["draft_locked"]},
        supervisor="asked",
        mentored=True,
    ),
    Story(NOOR, "initial", fate="to_admit"),
    Story(MAURITS, "specialisation", ("second_track",), "to_assign"),
    Story(WIM, "specialisation", ("career_guidance",), "returned"),
    Story(ORLA, "specialisation", ("career_coaching",), language="en"),
    Story(LOIS, "specialisation", ("outplacement",), finished=("personal", "specialisation_work")),
    Story(BRAM, "initial", finished=("personal", "profile", "intake")),
    Story(FENNA, "recertification", ("career_guidance",), "withdrawn", finished=("personal",)),
)
HOLDER = INES  # whose certificate is about to end, with a development log and no dossier yet
