"""How a dossier is judged, in words for its candidate, the office and the assessors. Nothing here plans an oral session."""

from app.documents.outline import WAYS
from app.errors import Text
from app.schemes.model import SPECIALISATION, DossierTemplate
from app.texts import both


def in_words(template: DossierTemplate) -> Text:
    """In writing, orally, or both."""
    return WAYS[template.way]()


def oral_session(template: DossierTemplate) -> Text | None:
    """What its oral session is about; ``None`` where everything is judged in writing."""
    if template.way == "written":
        return None
    named = [one.title for one in template.plugins if one.kind == SPECIALISATION]
    if not named:
        return both("Mondelinge toetsing over het dossier")
    return both("Mondelinge toetsing: %(about)s", about={key: ", ".join(one[key] for one in named) for key in named[0]})
