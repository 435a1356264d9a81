"""What went wrong in plugins: written down once, counted, without anybody's answers, and gone with the code that caused it."""

from pathlib import Path

import pytest
from small_world import World
from sqlalchemy import select

from app import pipeline, plugin_faults
from app.extensions import session, transaction
from app.plugin_faults import PluginFault
from app.plugin_loader import Plugin, PluginFailed, guarded_call, note_error
from app.schemes.loader import Catalogue


def broken(answer: str) -> None:
    raise ValueError(answer)


def a_plugin(sha256: str = "a" * 64) -> Plugin:
    return Plugin(
        id="east", folder=Path(), title={"nl": "Oost", "en": "East"}, hooks={"check_dossier": broken}, hooks_sha256=sha256
    )


def fail(plugin: Plugin) -> None:
    with pytest.raises(PluginFailed):
        guarded_call(plugin, "hooks.py: check_dossier", broken, bool, "Mijn geheime antwoord")


def rows() -> list[tuple[str, str, str, int]]:
    session.rollback()
    return [(one.plugin, one.hook, one.kind, one.count) for one in session.scalars(select(PluginFault).order_by(PluginFault.id))]


def test_a_fault_is_kept_once_and_counted_without_the_answers(world: World) -> None:
    plugin = a_plugin()
    for _ in range(2):
        fail(plugin)
        with transaction():
            plugin_faults.keep([plugin])
    assert rows() == [("east", "hooks.py: check_dossier", "ValueError", 2)]
    (fault,) = plugin_faults.known([plugin])
    assert fault.place.startswith("test_plugin_faults.py:")
    assert fault.place.endswith("in broken")
    assert "geheime" not in fault.place + plugin.faults[0]
    assert plugin.noted == []


def test_faults_of_changed_code_are_not_shown_and_go_with_the_next(world: World) -> None:
    old, new = a_plugin(), a_plugin("b" * 64)
    fail(old)
    with transaction():
        plugin_faults.keep([old])
    assert list(plugin_faults.known([new])) == []
    note_error(new, "hooks.py: deliver", TimeoutError())
    with transaction():
        plugin_faults.keep([new])
    assert rows() == [("east", "hooks.py: deliver", "TimeoutError", 1)]


def test_a_fault_is_cleared_once(world: World) -> None:
    plugin = a_plugin()
    fail(plugin)
    pipeline.keep_plugin_faults(Catalogue({}, {"east": plugin}, {}, {}, ()))
    (fault,) = plugin_faults.known([plugin])
    fault_id = fault.id
    with transaction():
        assert plugin_faults.clear(fault_id) == "east"
        assert plugin_faults.clear(fault_id) is None
    assert rows() == []
