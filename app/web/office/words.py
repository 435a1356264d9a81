"""How the office's pages name things."""

from app.assessment.overview import Row
from app.texts import both, both_n, pick
from app.web.language import current_language

STATE_WORDS = {
    "draft": both("Wordt ingevuld"),
    "returned": both("Terug bij kandidaat"),
    "assembling": both("Documenten worden gemaakt"),
    "stuck": both("Vastgelopen"),
    "to_admit": both("Wacht op toelating"),
    "to_assign": both("Wacht op toewijzing"),
    "judging": both("In beoordeling"),
    "judged": both("Wacht op besluit"),
    "decided": both("Besluit genomen"),
    "withdrawn": both("Ingetrokken"),
}
STATE_KINDS = {
    "stuck": "red",
    "to_admit": "yellow",
    "to_assign": "yellow",
    "judging": "blue",
    "returned": "blue",
    "judged": "green",
}
FEE_WORDS = {"invoiced": both("Rekening verstuurd"), "paid": both("Betaald"), "waived": both("Kwijtgescholden")}
ROLE_WORDS = {
    "candidate": both("Kandidaat"),
    "mentor": both("Mentor"),
    "assessor": both("Beoordelaar"),
    "office": both("Secretariaat"),
    "auditor": both("Auditor"),
}


def state_of(row: Row) -> str:
    """How a dossier stands; when one of two seats is open, also that the other assessor is at work."""
    words = STATE_WORDS[row.state]
    if row.state == "to_assign" and row.assessors:
        lacking = row.needed - row.assessors
        words = both_n("In beoordeling, nog %(n)s beoordelaar nodig", "In beoordeling, nog %(n)s beoordelaars nodig", lacking)
    return pick(words, current_language())


def days(number: int) -> str:
    """ "vandaag", "1 dag", "12 dagen"."""
    if number <= 0:
        return pick(both("vandaag"), current_language())
    return pick(both_n("%(n)s dag", "%(n)s dagen", number), current_language())
