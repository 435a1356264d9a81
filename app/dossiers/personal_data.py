"""Words in a text that look like personal data of a client. Pure: nothing is kept, logged or sent anywhere.

Only what can be told without guessing much: numbers with a check of their own, addresses, dates of birth, names after a title
or after the word client. A first name alone is not seen.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import phonenumbers
from stdnum import iban
from stdnum.nl import bsn

from app.accounts.same_person import mailbox, plain_name

Kind = Literal["bsn", "iban", "email", "phone", "birth", "name"]
MOST = 200  # found in one text: enough for anybody who reads it
REGION = "NL"  # of a phone number without a country
CITIZEN = re.compile(r"(?<![\w.,-])(?:\d{9}|\d{3}([ .-])\d{3}\1\d{3}|\d{4}([ .-])\d{2}\2\d{3})(?![\w-]|[.,]\d)")
ACCOUNT = re.compile(r"(?<!\w)[a-z]{2}\d{2}(?:[ -]?[a-z0-9]){11,30}", re.IGNORECASE | re.ASCII)
SHORTEST_ACCOUNT = 15
ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
DIGITS = re.compile(r"[+(]?\d(?:[ ()./–-]{0,3}\d){7,60}")  # only what may be phone numbers goes to the library, which is slow
MONTH = (
    r"(?:jan|feb|febr|mrt|maart|mar|apr|mei|may|jun|jul|aug|sep|sept|okt|oct|nov|dec|januari|january|februari|february|march|"
    r"april|juni|june|juli|july|augustus|august|september|oktober|october|november|december)\.?"
)
DAY = (
    r"(?:\d{1,2} ?[-/.] ?\d{1,2} ?[-/.] ?['’]?\d{2,4}|\d{4}-\d{1,2}-\d{1,2}|"
    rf"\d{{1,2}}(?:st|nd|rd|th)? {MONTH},? \d{{4}}|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})"
)
BIRTH = re.compile(
    rf"(?<!\w)(?:geboren|geboortedatum|geb\.?|date of birth|birth date|born|dob)(?: (?:is|was|op|on|the))?:? {{0,2}}{DAY}(?!\d)",
    re.IGNORECASE,
)
TITLES = (
    r"[Mm]evrouw|[Mm]evr\.?|[Mm]w\.?|[Mm]eneer|[Dd]e heer|[Dd]hr\.?|[Mm]ejuffrouw|[Jj]uffrouw|[Dd]rs\.?|[Dd]r\.?|[Pp]rof\.?|"
    r"[Ii]r\.|[Ii]ng\.|[Mm]r\.?|Mrs\.?|Ms\.?|Miss|Mx\.?|[Cc]liënte?|client|[Cc]oachee|MEVROUW|MENEER|DE HEER|DHR\.?"
)
BETWEEN = (
    r"(?:(?:[Vv]an|[Vv]on|[Dd]e[rn]?|[Hh]et|[Tt]e[rn]?|[Ii]n|[Oo]p|[Ee]l|[Aa]l|[Bb]en|[Dd]i|[Dd]a|[Ll]a|[Ll]e)[ -]|['’][Tt] )"
)
CAPITAL = r"[^\W\d_a-zß-öø-ÿ]"
WORD = rf"(?:[DdLlO]['’])?{CAPITAL}[^\W\d_]+(?:['’-][^\W\d_]+){{0,3}}"
NAME = re.compile(
    rf"(?<!\w)(?:(?:{TITLES})[ *]{{1,4}}){{1,3}}(?P<name>(?:{CAPITAL}\.? ?){{0,5}}(?<![^\W\d_]){BETWEEN}{{0,3}}{WORD}"
    rf"(?: {BETWEEN}{{0,3}}{WORD}){{0,2}})"
)
NO_NAMES = re.compile(  # what may stand with a capital after a title without being a name; as _words gives it
    "uw|ik|hij|zij|wij|het|een|dit|dat|client|cliente|kandidaat|deelnemer|voorzitter|directeur|rechter|minister|president|intake|vraag|vragen|gesprek|gesprekken|dossier|traject|doel|doelen|evaluatie|session|"
    "question|questions|file|word|martens"
)
LITTLE = re.compile("van|von|de|der|den|het|te|ter|ten|in|op|el|al|ben|di|da|la|le|['’]t")


@dataclass(frozen=True)
class Found:
    """``text[start:end]`` is ``excerpt``."""

    kind: Kind
    start: int
    end: int
    excerpt: str


@dataclass(frozen=True)
class Known:
    """What is not a client's: of the candidate, the supervisors and mentors, the office. Phone numbers as people typed them."""

    names: Sequence[str] = ()
    emails: Sequence[str] = ()
    phones: Sequence[str] = ()

    def has_name(self, name: str) -> bool:
        return any(_words(name) <= _words(one) for one in self.names)

    def has_email(self, address: str) -> bool:
        return mailbox(address) in map(mailbox, self.emails)

    def has_phone(self, number: str) -> bool:
        return _last_digits(number) in map(_last_digits, self.phones)


def find(text: str, known: Known | None = None) -> list[Found]:
    """What in ``text``, in Dutch or English, looks like personal data of somebody not ``known``; in order, apart."""
    known = known or Known()
    text_of_spaces = text.replace("\u00a0", " ")
    taken: list[Found] = []
    for kind, start, end in islice(_candidates(text_of_spaces, known), MOST):
        if all(end <= one.start or one.end <= start for one in taken):
            taken.append(Found(kind, start, end, text[start:end]))
    return sorted(taken, key=lambda one: one.start)


def _candidates(text: str, known: Known) -> Iterator[tuple[Kind, int, int]]:
    """The surest first."""
    for match in ACCOUNT.finditer(text):
        if end := _account_end(text, match):
            yield "iban", match.start(), end
    for match in CITIZEN.finditer(text):
        if bsn.is_valid(match[0].replace(".", "").replace("-", "")):
            yield "bsn", *match.span()
    for match in ADDRESS.finditer(text):
        if not known.has_email(match[0]):
            yield "email", *match.span()
    for match in DIGITS.finditer(text):
        for number in phonenumbers.PhoneNumberMatcher(match[0], REGION):
            if not known.has_phone(number.raw_string):
                yield "phone", match.start() + number.start, match.start() + number.end
    for match in BIRTH.finditer(text):
        yield "birth", *match.span()
    for match in NAME.finditer(text):
        words = _words(match["name"])
        if words and not any(map(NO_NAMES.fullmatch, words)) and not known.has_name(match["name"]):
            yield "name", *match.span()


def _account_end(text: str, match: re.Match[str]) -> int:
    """Where the account number ends: words that follow it look like a part of it. 0: it is none."""
    for end in range(match.end(), match.start() + SHORTEST_ACCOUNT - 1, -1):
        if (end == len(text) or not text[end].isalnum()) and iban.is_valid(text[match.start() : end]):
            return len(text[:end].rstrip())
    return 0


def _words(name: str) -> frozenset[str]:
    """The words of a name that tell people apart: no initials, no "van der"."""
    return frozenset(word for word in re.split(r"[\s,-]+", plain_name(name)) if len(word) > 1 and not LITTLE.fullmatch(word))


def _last_digits(number: str) -> str:
    """+31 6 12345678 and 06-12345678 are one number."""
    return re.sub(r"\D", "", number)[-9:]
