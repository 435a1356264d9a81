"""A mentor's comments as pages show them."""

from collections.abc import Iterable
from typing import Any

from app.dossiers import mentors
from app.dossiers.models import MentorComment
from app.web.dates import day, when


def remark_dicts(comments: Iterable[MentorComment], *, named: bool = True) -> list[dict[str, Any]]:
    """What ``parts/remarks.html`` shows. ``named``: by whom; a mentor himself only sees his own."""
    return [
        {
            "id": one.id,
            "by": mentors.mentor_name(one.mentorship) if named else "",
            "when": when(one.at),
            "text": one.text,
            "done": day(one.done_at) if one.done_at else "",
        }
        for one in comments
    ]
