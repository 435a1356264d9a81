"""What did not go well by itself: each failed step with its error and a retry that does no harm, however often it is pressed."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import audit, permissions, pipeline, plugin_faults
from app.assessment import stuck
from app.documents import sealing
from app.dossiers.models import Dossier, Evidence, Snapshot
from app.errors import Conflict, Forbidden, NotFound
from app.extensions import session, transaction
from app.texts import both, pick
from app.web import dates, own
from app.web.dates import when
from app.web.guard import guard
from app.web.language import current_language
from app.web.office import blueprint
from app.web.parts import LARGEST_ID, installation, me, only_fields, ring


@blueprint.get("/vastgelopen", endpoint="stuck")
@guard("office.stuck")
def board() -> ResponseReturnValue:
    catalogue, language = installation().catalogue, current_language()
    steps = {step.name: pick(step.text(), language) for step in sealing.STEPS}
    return render_template(
        "office/stuck.html",
        snapshots=[
            {
                "record": one,
                "href": dossier_page(one.dossier),
                "step": steps.get(one.step_name, "")
                if one.stage != "handed_over"
                else pick(both("Afleveren bij een andere organisatie"), language),
                "error": pick(one.error, language),
                "next": when(one.next_attempt_at) if one.next_attempt_at else "",
                "mine": one.dossier.owner_id == me().id,
            }
            for one in stuck.snapshots()
        ],
        evidence=[
            {
                "record": item,
                "dossier": dossier,
                "href": dossier_page(dossier),
                "next": when(item.next_attempt_at) if item.next_attempt_at else "",
                "mine": dossier.owner_id == me().id,
            }
            for item, dossier in stuck.evidence()
        ],
        mails=[{"record": one, "since": dates.at(one.created_at, "d MMM y HH.mm")} for one in own.visible(stuck.mails())],
        faults=plugin_faults.known(catalogue.plugins.values()),
        broken=[plugin for plugin in catalogue.plugins.values() if not plugin.enabled],
        when=when,
    )


@blueprint.post("/vastgelopen/<int:snapshot_id>/opnieuw")
@guard("office.stuck")
def retry(snapshot_id: int) -> ResponseReturnValue:
    only_fields()
    with transaction():
        snapshot = session.get(Snapshot, snapshot_id)
        if snapshot is None:
            raise NotFound(both("Deze stap bestaat niet."))
        refuse_own(snapshot.dossier)
        is_over = snapshot.abandoned_at is not None or snapshot.error is None
        if not is_over:
            try:
                pipeline.retry(snapshot)
            except Conflict:
                is_over = True
            else:
                audit.write("snapshot.retried", actor=me(), thing=snapshot)
    return back(is_over, "snapshot", snapshot_id)


@blueprint.post("/vastgelopen/bewijs/<int:evidence_id>/opnieuw")
@guard("office.stuck")
def retry_evidence(evidence_id: int) -> ResponseReturnValue:
    only_fields("attempts")
    seen = request.form.get("attempts", "")
    with transaction():
        item = session.get(Evidence, evidence_id)
        if item is None:
            raise NotFound(both("Deze stap bestaat niet."))
        refuse_own(session.get_one(Dossier, item.dossier_id))
        number = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < len(str(LARGEST_ID)) else -1
        is_over = not pipeline.retry_evidence(item, number)
        if not is_over:
            audit.write("evidence.retried", actor=me(), thing=item)
    return back(is_over, "evidence", evidence_id)


@blueprint.post("/vastgelopen/plugins/<int:fault_id>/weghalen")
@guard("office.stuck")
def clear_fault(fault_id: int) -> ResponseReturnValue:
    only_fields()
    with transaction():
        plugin = plugin_faults.clear(fault_id)
        if plugin is not None:
            audit.write("plugin_fault.cleared", actor=me(), thing=f"plugin:{plugin}")
    flash(pick(both("Deze fout staat niet meer in de lijst. Gebeurt het weer, dan ziet u dat hier."), current_language()), "ok")
    return redirect(url_for("office.stuck"))


def back(is_over: bool, job: str, record_id: int) -> ResponseReturnValue:
    """Starts the work, unless it was done or started meanwhile, and goes back to the list."""
    if is_over:
        flash(
            pick(both("Dit is intussen al gedaan of opnieuw gestart. Er hoeft niets meer te gebeuren."), current_language()),
            "info",
        )
    else:
        ring(job, record_id)
        flash(pick(both("Wij proberen het nu opnieuw. Ververs deze pagina over een minuut."), current_language()), "ok")
    return redirect(url_for("office.stuck"))


def refuse_own(dossier: Dossier) -> None:
    if permissions.is_partial_office(me(), dossier):
        raise Forbidden(permissions.LEAVE_IT)


def dossier_page(dossier: Dossier) -> str:
    return "" if dossier.owner_id == me().id else url_for("office.dossier", reference=dossier.reference)
