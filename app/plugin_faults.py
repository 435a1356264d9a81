"""What went wrong in plugins while people worked, kept for the office: which hook, what kind of error and where in its code.

An error's own words may hold somebody's answers, so they are not kept. Faults of a plugin whose ``hooks.py`` has changed since
are about code that is gone: they are not shown, and go at the next one. The loader's faults (a wrong manifest) are not here:
those are found anew at every start.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base, now, session
from app.plugin_loader import Plugin


class PluginFault(Base):
    """One way in which one hook failed, ``count`` times. ``place`` is file, line and function, the deepest last."""

    __tablename__ = "plugin_fault"
    __table_args__ = (UniqueConstraint("plugin", "hooks_sha256", "hook", "kind", "place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plugin: Mapped[str] = mapped_column(String(40))
    hooks_sha256: Mapped[str] = mapped_column(String(64))
    hook: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(80))
    place: Mapped[str] = mapped_column(Text)
    count: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime] = mapped_column(default=now)
    last_at: Mapped[datetime] = mapped_column(default=now)


def keep(plugins: Iterable[Plugin]) -> None:
    """Writes down what the plugins of this process noted since the last time. Inside a ``transaction()``."""
    for plugin in plugins:
        noted, plugin.noted = plugin.noted, []
        if noted:
            session.execute(
                delete(PluginFault).where(PluginFault.plugin == plugin.id, PluginFault.hooks_sha256 != plugin.hooks_sha256)
            )
        for one in noted:
            same = {
                "plugin": plugin.id,
                "hooks_sha256": plugin.hooks_sha256,
                "hook": one.hook,
                "kind": one.kind,
                "place": one.place,
            }
            fault = session.scalar(select(PluginFault).filter_by(**same))
            if fault is None:
                fault = PluginFault(**same, count=0)
                session.add(fault)
            fault.count += 1
            fault.last_at = now()
            session.flush()


def known(plugins: Iterable[Plugin]) -> Sequence[PluginFault]:
    """The faults of these plugins as their code is now, the latest first."""
    here = {(plugin.id, plugin.hooks_sha256) for plugin in plugins}
    found = session.scalars(select(PluginFault).order_by(PluginFault.last_at.desc(), PluginFault.id)).all()
    return [one for one in found if (one.plugin, one.hooks_sha256) in here]


def clear(fault_id: int) -> str | None:
    """Removes one fault, when somebody dealt with it; gives its plugin, ``None`` when it was gone already."""
    return session.scalar(delete(PluginFault).where(PluginFault.id == fault_id).returning(PluginFault.plugin))
