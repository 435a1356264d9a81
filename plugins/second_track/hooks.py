"""Looks for health data of clients and for cases without consent, in what a candidate in second track has written.

A list of words is sometimes mistaken, and a finding stands in the way of submitting. So each of the two checks has a declaration
that sets it aside, and the document then tells the assessors what was set aside. General words such as diagnosis, medicine,
illness and limitation are not on the list: candidates need them to write about privacy.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.plugin_api import Block, Finding, Heading, ListBlock, Paragraph, Run, Text

OWN = ("second_track_file", "second_track_work", "second_track_partners", "second_track_privacy")
PRIVACY = "second_track_privacy"
CASES = ("situation", "question_and_context", "approach", "result_and_reflection")
"""The questions, of competency areas and of the case study, in which a client is described."""
SHOWN_WORDS = 8

_BODY = "rug|nek|knie|schouder|heup|hart|long|maag|darm|pols|enkel|hand|arm|been|voet|lever|nier|oog"
_BODY_EN = "back|neck|knee|shoulder|hip|heart|lung|wrist|ankle|kidney|liver|spinal|brain"
_MARKET = r"(?:(?:krappe|lokale) )?(?:arbeids|woning|huizen)?(?:markt|economie|sector|branche|regio|prijzen|verwachting)"
_MARKET_EN = r"(?:(?:local|regional|labour|labor|job|housing) )?(?:market|econom|sector|region|industry|price|wage)"

HEALTH = (
    # mind
    r"burn-?\s?outs?(?!-?\s?(?:preventie|prevention))",
    rf"overspannen(?! {_MARKET})|overspannenheid",
    r"(?<!economische )(?<!grote )depressies?|depressief|depressieve (?:klachten|gevoelens|stoornis|periode|episode)",
    r"(?<!economic )(?<!great )depression(?! (?:of the|in the (?:sector|market|economy)))",
    rf"depressed(?! {_MARKET_EN})",
    r"ptss|ptsd|adhd|autis(?:me|ten|t|tische?|m|tic)|asperger|bipolaire stoornis|bipolar disorder",
    r"(?:angst|paniek|dwang|eet|stemmings|borderline-?|persoonlijkheids)stoornis(?:sen)?|paniekaanval(?:len)?",
    r"(?:anxiety|panic|eating|mood|personality) disorders?|panic attacks?|anorexia|boulimia|bulimia",
    r"psychos[ei]s?|psychotisch|psychotic|schizofrenie|schizophrenia|suïcidaal|suicidaal|suicidal|(?:alcohol|drugs)verslaving",
    r"psychische (?:klachten|aandoening|problemen)|mental (?:illness|health (?:problems|condition))",
    # body
    r"\w*kanker|cancer|\w*tumou?r(?:en|s)?|leukemie|leuka?emia|chemo(?:therapie|therapy|kuur|kuren)?",
    r"bestralingen|radiothera(?:pie|py)",
    r"(?:hart|hersen)infarct|hartaanval(?:len)?|hersen(?:bloeding|letsel|schudding)|cva|beroerte",
    r"heart attack|brain injury|concussion|(?:had|suffered) a stroke(?! of)",
    r"(?:rug|nek)?hernia|dwarslaesie|paraplegia|reuma|artrose|artritis|arthritis|fibromyalgi[ae]|whiplash",
    r"multiple scleros[ei]s?|(?:heeft|had|has) (?-i:MS)|(?-i:MS)-(?=pati)",
    r"diabetes|suikerziekte|diabeticus|diabetics?|zwanger(?:schap)?|pregnant|pregnancy",
    r"epilepsie|epilepsy|migraine|astma|asthma|copd|long[ -]?covid|post-?covid|hiv|dementie|dementia|alzheimer",
    r"amputatie|amputation|chronische pijn|chronic pain|chronisch vermoeidheidssyndroom|chronic fatigue",
    r"ziekte van (?:crohn|parkinson|lyme|ménière|pfeiffer)|(?:crohn|parkinson|lyme)(?:['’]s)? disease",
    rf"(?:{_BODY})-?(?:klachten|pijn|operatie|letsel|aandoening|blessure|problemen|ziekte)",
    rf"(?:{_BODY_EN}) (?:pain|complaints?|surgery|injur(?:y|ies)|trouble|condition|disease|failure)",
    # treatment and medicine
    r"gediagnosticeerd|de diagnose (?:kreeg|krijgt)|(?:kreeg|krijgt) de diagnose|diagnosed",
    r"onder behandeling (?:van|bij|voor)|in behandeling bij (?:(?:een|de|zijn|haar) )?(?:psycho\w+|psychiater|neuroloog|ggz)",
    r"under treatment|treated for|emdr",
    r"(?:slikte?|gebruikte?|neemt|nam|kreeg|krijgt) (?:(?!geen )\w+ )?(?:medicijnen|medicatie|pillen|slaapmiddelen)",
    r"(?:takes?|took|taking|(?:was|is) on) (?:(?!no )\w+ )?(?:medicines?|medication|sleeping pills|painkillers)",
    r"antidepressiv(?:a|um)|antidepressants?|ssri|sertraline|citalopram|paroxetine|fluoxetine|venlafaxine",
    r"oxazepam|diazepam|lorazepam|temazepam|ritalin|concerta|methylfenidaat|methylphenidate",
    r"oxycodone?|tramadol|morfine|morphine|insulin|insuline|prednison|prednisone|prednisolone?|methotrexa(?:at|te)",
)
SECOND_TRACK = (
    r"(?:tweede|2e|2de)[ -]spoor\w*|spoor[ -](?:2|twee)|poortwachter\w*",
    r"second[ -]track|track (?:2|two)|gatekeeper (?:improvement )?(?:act|file)",
)

_COMPOUND = r"s?-?(?:klacht|pati[eë]nt|aanval|behandeling|kuur|kuren|medicatie|medicijn|symptomen|verschijnselen|gevoelens)\w*"
"""Dutch writes these in one word with what somebody suffers from."""
_HEALTH = re.compile(rf"(?<!\w)(?:{'|'.join(HEALTH)})(?:{_COMPOUND})?(?!\w)", re.IGNORECASE)
_SECOND_TRACK = re.compile(rf"(?<!\w)(?:{'|'.join(SECOND_TRACK)})(?!\w)", re.IGNORECASE)
_SIGNS = str.maketrans({"\u2010": "-", "\u2011": "-", "\u2013": "-", "\u00a0": " ", "\u202f": " ", "\u00ad": None, "*": None})

Data = Mapping[str, Any]


@dataclass(frozen=True)
class _Hit:
    """Words that suggest health data, in an answer or one row of it, or in the name of a file there."""

    section: str
    question: str
    row: str
    in_file_name: bool
    words: tuple[str, ...]


def check_dossier(snapshot_data: Data) -> Sequence[Finding]:
    """Words that suggest health data, and cases about second track without a consent, unless declared to be mistaken."""
    declared = _answers(snapshot_data, PRIVACY)
    findings = []
    if declared.get("words_checked") != "yes":
        findings += [_about_words(snapshot_data, hit) for hit in _hits(snapshot_data)]
    findings += [_no_consent(snapshot_data, *case) for case in _cases_without_consent(snapshot_data, elsewhere=False)]
    if declared.get("elsewhere_checked") != "yes":
        findings += [_no_consent(snapshot_data, *case) for case in _cases_without_consent(snapshot_data, elsewhere=True)]
    return findings


def document_blocks(snapshot_data: Data) -> Sequence[Block]:
    """For the assessors: what the checks mentioned and the candidate set aside. Nothing when there is no such thing."""
    language = snapshot_data["language"]
    declared = _answers(snapshot_data, PRIVACY)
    blocks: list[Block] = []
    if declared.get("words_checked") == "yes":
        places = [
            f"{_place(snapshot_data, hit.section, hit.question, language)}: {', '.join(hit.words)}"
            for hit in _hits(snapshot_data)
        ]
        blocks += _set_aside(_label(snapshot_data, PRIVACY, "words_checked")[language], _WORDS_SET_ASIDE[language], places)
    if declared.get("elsewhere_checked") == "yes":
        cases = _cases_without_consent(snapshot_data, elsewhere=True)
        places = [_place(snapshot_data, section, question, language) for section, question in cases]
        blocks += _set_aside(_label(snapshot_data, PRIVACY, "elsewhere_checked")[language], _CASES_SET_ASIDE[language], places)
    return blocks


# --- looking --------------------------------------------------------------------------------------------------------


def _hits(data: Data) -> list[_Hit]:
    """Where words suggest health data: in this specialisation, and in every other section that speaks of second track."""
    titles = {item.get("id"): str(item.get("title", "")) for item in data.get("evidence", ())}
    found = []
    for section in data["answers"]:
        answers = _answers(data, section)
        if section not in OWN and not any(_speaks_of_second_track(text) for text in _texts(list(answers.values()))):
            continue
        for question, answer in answers.items():
            for row, part in _parts(answer):
                typed = _words(_texts(part))
                named = _words(titles.get(item, "").replace("_", " ") for item in _files(part))
                found += [_Hit(section, question, row, False, typed)] if typed else []
                found += [_Hit(section, question, row, True, named)] if named else []
    return found


def _words(texts: Iterable[str]) -> tuple[str, ...]:
    """The words found, each once and as first typed."""
    words: dict[str, str] = {}
    for text in texts:
        for match in _HEALTH.finditer(_plain(text)):
            words.setdefault(match.group().casefold(), match.group())
    return tuple(words.values())


def _cases_without_consent(data: Data, *, elsewhere: bool) -> list[tuple[str, str]]:
    """Section and question: every case of this specialisation, or the cases elsewhere that speak of second track."""
    rows = _answers(data, PRIVACY).get("consents")
    places = {row.get("place") for row in rows if isinstance(row, Mapping)} if isinstance(rows, list) else set()
    found = []
    for section in data["answers"]:
        if (section not in OWN) is not elsewhere or _place_of(section) in places or (not elsewhere and "all_areas" in places):
            continue
        cases = [name for name in CASES if isinstance(text := _answers(data, section).get(name), str) and text.strip()]
        if elsewhere:
            cases = [name for name in cases if _speaks_of_second_track(_answers(data, section)[name])]
        found += [(section, name) for name in cases[:1]]
    return found


def _place_of(section: str) -> str:
    """The option for a section in the overview of permissions."""
    return section if section in (*OWN, "case_study") else "other"


def _speaks_of_second_track(text: str) -> bool:
    return _SECOND_TRACK.search(_plain(text)) is not None


def _plain(text: str) -> str:
    """With simple hyphens and spaces and without the signs of the markup, so that words are found as they are read."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_SIGNS).split())


# --- saying ---------------------------------------------------------------------------------------------------------

_WORDS_SET_ASIDE = {
    "nl": "Een controle op gezondheidsgegevens noemde deze woorden. De kandidaat verklaart dat ze niet over een cliënt gaan.",
    "en": "A check for health data mentioned these words. The candidate declares that they are not about a client.",
}
_CASES_SET_ASIDE = {
    "nl": "Deze casussen noemen het tweede spoor. De kandidaat verklaart dat er geen toestemming van een cliënt bij nodig is.",
    "en": "These cases mention second track. The candidate declares that no permission from a client is needed for them.",
}


def _about_words(data: Data, hit: _Hit) -> Finding:
    words = ", ".join(f"“{word}”" for word in hit.words[:SHOWN_WORDS]) + (" …" if len(hit.words) > SHOWN_WORDS else "")
    asked, tick, page = _label(data, hit.section, hit.question), _label(data, PRIVACY, "words_checked"), _title(data, PRIVACY)
    if hit.in_file_name:
        nl = (
            f"De naam van een bestand bij “{asked['nl']}” bevat {words}. Dat lijkt te gaan over de gezondheid van een cliënt. "
            "Geef het bestand een andere naam en voeg het opnieuw toe."
        )
        en = (
            f"The name of a file at “{asked['en']}” contains {words}. This seems to be about a client’s health. "
            "Give the file another name and add it again."
        )
    else:
        nl = (
            f"Bij “{asked['nl']}” staat {words}. Dat lijkt te gaan over de gezondheid van een cliënt. "
            "Haal het weg en schrijf wat uw cliënt kan."
        )
        en = (
            f"“{asked['en']}” contains {words}. This seems to be about a client’s health. "
            "Remove it and write what your client can do."
        )
    nl += f" Vergist de controle zich? Zet dan een vinkje bij “{tick['nl']}” in het onderdeel {page['nl']}."
    en += f" Is the check mistaken? Then tick “{tick['en']}” in the section {page['en']}."
    return Finding(section=hit.section, question=hit.question, row=hit.row, text={"nl": nl, "en": en})


def _no_consent(data: Data, section: str, question: str) -> Finding:
    title, asked, tick = _title(data, section), _label(data, section, question), _label(data, PRIVACY, "elsewhere_checked")
    nl = f"Er staat nog geen toestemming in dit overzicht voor de casus in {title['nl']} (“{asked['nl']}”). Voeg een regel toe."
    en = f"This overview has no permission yet for the case in {title['en']} (“{asked['en']}”). Add a row."
    if section in OWN:
        nl += " Geeft uw cliënt geen toestemming? Kies dan een andere casus."
        en += " If your client does not give permission, choose another case."
    else:
        nl += f" Gaat die casus niet over een cliënt uit het tweede spoor? Zet dan een vinkje bij “{tick['nl']}”."
        en += f" If that case is not about a second-track client, tick “{tick['en']}”."
    return Finding(section=PRIVACY, question="consents", text={"nl": nl, "en": en})


def _set_aside(heading: str, said: str, places: Sequence[str]) -> Iterator[Block]:
    if places:
        yield Heading(heading)
        yield Paragraph((Run(said),))
        yield ListBlock(tuple((Run(place),) for place in places))


def _place(data: Data, section: str, question: str, language: str) -> str:
    return f"{_title(data, section)[language]}, “{_label(data, section, question)[language]}”"


def _title(data: Data, section: str) -> Text:
    return next((one["title"] for one in _sections(data) if one["id"] == section), {"nl": section, "en": section})


def _label(data: Data, section: str, question: str) -> Text:
    asked = (one for wanted in _sections(data) if wanted["id"] == section for one in wanted["questions"])
    return next((one["label"] for one in asked if one["id"] == question), {"nl": question, "en": question})


def _sections(data: Data) -> Sequence[Data]:
    sections: Sequence[Data] = data["template"]["sections"]
    return sections


# --- answers --------------------------------------------------------------------------------------------------------


def _answers(data: Data, section: str) -> Data:
    answers = data["answers"].get(section)
    return answers if isinstance(answers, Mapping) else {}


def _parts(answer: Any) -> Iterator[tuple[str, Any]]:
    """A table's rows with their ids, or else the answer as a whole."""
    if isinstance(answer, list) and any(isinstance(row, Mapping) for row in answer):
        yield from ((str(row.get("row", "")), row) for row in answer if isinstance(row, Mapping))
    else:
        yield "", answer


def _texts(answer: Any) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, list | Mapping):
        for part in answer.values() if isinstance(answer, Mapping) else answer:
            yield from _texts(part)


def _files(answer: Any) -> Iterator[int]:
    if isinstance(answer, int):
        yield answer
    elif isinstance(answer, list | Mapping):
        for part in answer.values() if isinstance(answer, Mapping) else answer:
            yield from _files(part)
