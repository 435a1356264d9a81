"""The invented people of the demo. Any likeness to somebody who exists is chance."""

from dataclasses import dataclass

from app.accounts import passwords
from app.config import DEMO_DOMAIN
from app.errors import Text
from app.texts import both, pick


@dataclass(frozen=True)
class Person:
    """Somebody with an account. ``story`` says what there is to see when one logs in as this person."""

    name: str
    email: str
    role: str
    story: Text
    password: str = passwords.DEMO


@dataclass(frozen=True)
class Supervisor:
    """Somebody without an account, who comes by a mailed link."""

    name: str
    email: str


def _at_home(name: str) -> str:
    return f"{name}@{DEMO_DOMAIN}"


SHOWCASE = Person(
    "Şenay Łukasiewicz-de Vries",
    _at_home("senay"),
    "candidate",
    both("Haar dossier is ingediend, verzegeld en toegewezen."),
)
HALFWAY = Person(
    "Renée Noordzij-Çelik",
    _at_home("renee"),
    "candidate",
    both("Zij is net begonnen: een bestand is geweigerd en haar supervisor moet nog tekenen."),
)
FRESH = Person("Joost van ’t Hekke", _at_home("joost"), "candidate", both("Hij moet nog beginnen."))
NOOR = Person(
    "Noor Adeyemi-Hoekstra",
    _at_home("noor"),
    "candidate",
    both("Haar dossier voor een eerste certificering is ingediend; het secretariaat moet het nog toelaten."),
)
MAURITS = Person(
    "Maurits Elzinga-Pinas",
    _at_home("maurits"),
    "candidate",
    both(
        "Hij heeft een geldig certificaat en voegt re-integratie tweede spoor toe. Zijn dossier is toegelaten en wacht op "
        "beoordelaars."
    ),
)
WIM = Person(
    "Wim Terpstra-Ng",
    _at_home("wim"),
    "candidate",
    both("Hij wil loopbaanbegeleiding toevoegen. Het secretariaat stuurde zijn dossier terug met twee bevindingen."),
)
ORLA = Person(
    "Orla Brennan-Smit",
    _at_home("orla"),
    "candidate",
    both("Zij voegt loopbaancoaching toe en schrijft in het Engels. Alles is af; zij moet alleen nog indienen."),
)
LOIS = Person(
    "Loïs Bergkamp-Aït Ali",
    _at_home("lois"),
    "candidate",
    both("Zij heeft een geldig certificaat en is begonnen met de specialisatie outplacement."),
)
BRAM = Person(
    "Bram Dijkgraaf",
    _at_home("bram"),
    "candidate",
    both("Hij schrijft aan zijn dossier voor een eerste certificering: een paar onderdelen zijn af."),
)
FENNA = Person(
    "Fenna Wiersma",
    _at_home("fenna"),
    "candidate",
    both("Zij is met haar hercertificering gestopt, omdat zij met pensioen gaat."),
)
INES = Person(
    "Ines Kartodikromo-Bos",
    _at_home("ines"),
    "candidate",
    both("Haar certificaat loopt bijna af. Zij hield een ontwikkellogboek bij en moet nog aan haar dossier beginnen."),
)
MENTOR = Person(
    "Hugo Vandersteen",
    _at_home("hugo"),
    "mentor",
    both("Hij leest mee met Renée en schreef opmerkingen."),
)
ASSESSORS = (
    Person("Wouter Sjöberg", _at_home("wouter"), "assessor", both("Hij beoordeelt het dossier van Şenay.")),
    Person(
        "Aïsha ter Braak",
        _at_home("aisha"),
        "assessor",
        both("Zij heeft nog niets te beoordelen: het secretariaat kan haar een dossier toewijzen."),
    ),
)
OFFICE = Person(
    "Margriet Zuidervelt", _at_home("margriet"), "office", both("Zij ziet de ingediende dossiers en wijst beoordelaars toe.")
)
CANDIDATES = (SHOWCASE, HALFWAY, NOOR, BRAM, MAURITS, WIM, ORLA, LOIS, FENNA, INES, FRESH)
PEOPLE = (*CANDIDATES, MENTOR, *ASSESSORS, OFFICE)
SUPERVISOR = Supervisor("Hélène Kuiper-Bąk", _at_home("helene"))


def logins() -> str:
    """Who one can log in as, for the terminal."""
    rows = [(person.role, person.email, person.password, person.name, pick(person.story, "en")) for person in PEOPLE]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), f"{row[3]}: {row[4]}"]) for row in rows
    ]
    return "\n".join(["Demo logins (role, e-mail address, password):", *(f"  {line}" for line in lines)])
