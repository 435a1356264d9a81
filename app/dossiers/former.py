"""What a dossier had before it went to another template: its moves, its former templates, and what is not asked any more."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.dossiers.models import Dossier, FormerAnswer, TemplateMove
from app.extensions import session
from app.schemes import models as stored_templates
from app.schemes.model import DossierTemplate


def moves(dossier: Dossier) -> Sequence[TemplateMove]:
    """Every move, the last one first."""
    mine = select(TemplateMove).where(TemplateMove.dossier_id == dossier.id)
    return session.scalars(mine.order_by(TemplateMove.id.desc())).all()


def answers(dossier: Dossier) -> Sequence[FormerAnswer]:
    """The answers that are not asked any more, oldest first."""
    mine = select(FormerAnswer).where(FormerAnswer.dossier_id == dossier.id)
    return session.scalars(mine.order_by(FormerAnswer.id)).all()


def templates(dossier: Dossier) -> list[str]:
    """The SHA-256 of the templates that the dossier had and does not have now, the last one first."""
    had = dict.fromkeys(move.from_sha256 for move in moves(dossier))
    return [sha256 for sha256 in had if sha256 != dossier.template_sha256]


def template_at(dossier: Dossier, moment: datetime) -> DossierTemplate:
    """The template that the dossier had at a moment."""
    later = [move for move in moves(dossier) if move.at > moment]
    return stored_templates.get(later[-1].from_sha256 if later else dossier.template_sha256)
