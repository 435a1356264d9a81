"""What runs in the child that sets the demo's papers in type. Apart from files.py, so that the child loads little."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def typeset(folder: str, template: str, fonts: str, keys: Sequence[str]) -> dict[str, Any]:
    """Each ``<key>.json`` in ``folder`` as ``<key>.pdf``, by the Typst file ``template`` in it."""
    import typst  # only ever loaded in children: it keeps what it has set in memory

    found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[fonts])
    for key in keys:
        typst.compile(
            str(Path(folder) / template),
            output=str(Path(folder) / f"{key}.pdf"),
            root=folder,
            font_paths=found,
            sys_inputs={"key": key},
            timestamp=0,
        )
    return {}
