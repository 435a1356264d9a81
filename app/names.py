"""People's names as lists sort and find them: case and accents do not count, so Şahin stands at the S and is found by "sahin".

One rule for every database, and for lists sorted here. The databases' own orders are those of bytes, or of the machine's locale.
"""

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

LETTERS = ("ŁłØøĐđÐðÞþıßÆæŒœ’‘", "LlOoDdDdTtisAaOo''")
"""Letters that have no accent to take off, and what they are sorted as: one for one, as ``translate`` of PostgreSQL wants it."""
MARKS = "[\u0300-\u036f]"
_TABLE = str.maketrans(*LETTERS)


def key(name: str) -> str:
    """What a name is sorted by."""
    letters = unicodedata.normalize("NFKD", name.translate(_TABLE))
    return "".join(letter for letter in letters if not "\u0300" <= letter <= "\u036f").lower()


class by(FunctionElement[str]):
    """``key`` in a query, to order by: ``order_by(names.by(Account.name), Account.id)``."""

    type = String()
    inherit_cache = True


@compiles(by)
def _anywhere(element: by, compiler: Any, **options: Any) -> str:
    return f"name_key({compiler.process(element.clauses, **options)})"


@compiles(by, "postgresql")
def _in_postgresql(element: by, compiler: Any, **options: Any) -> str:
    letters, sorted_as = (one.replace("'", "''") for one in LETTERS)
    plain = f"normalize(translate({compiler.process(element.clauses, **options)}, '{letters}', '{sorted_as}'), NFKD)"
    return f"lower(regexp_replace({plain}, '{MARKS}', '', 'g')) COLLATE \"C\""


def has(column: Any, text: str) -> ColumnElement[bool]:
    """Whether the name in this column has the text in it."""
    return by(column).contains(key(text), autoescape=True)


def teach(connection: Any) -> None:
    """Tells a connection of SQLite what ``name_key`` is."""
    connection.create_function("name_key", 1, lambda name: None if name is None else key(name), deterministic=True)
