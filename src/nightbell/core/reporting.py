"""Steps of a decision for a delivery: absorb what it says, then page if something began. decision.py calls them."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from nightbell.core import alert as alerts
from nightbell.core import climbing, identity, leading, routing
from nightbell.core.alert import BEGINS, Alert, Change, Status, What
from nightbell.core.closing import resolved
from nightbell.core.draft import Draft, Shown
from nightbell.core.events import GroupOver, Report
from nightbell.core.journal import Actor, Kind, source
from nightbell.core.routing import Routing
from nightbell.core.signal import Signal, State
from nightbell.core.urgency import urgency

#: Alerts made by a person or a program through the API have no source to be told apart by.
API = "api"
DECLARED = ("open", "triggered", "resolved")


def reported(draft: Draft, report: Report) -> bool:
    """Absorb one delivery; False when it says nothing that is worth an alert (a resolve of nothing known)."""
    declared, problem = _declared(draft, report)
    by = source(report.source.name, report.source.type)
    changes = _changes(draft.facts.alert, report, draft.now, declared)
    if draft.facts.alert is None:
        firing = [c for c in changes if c.member.state is State.FIRING]
        if not firing:
            return False
        _created(draft, report, firing, by)
        _page(draft, report, declared, by)
    else:
        _updated(draft, report, changes, declared, by)
    if problem:
        draft.note("signal.bad_status", problem, kind=Kind.INFORMATIONAL, action="skipped", by=by)
    return True


def _declared(draft: Draft, report: Report) -> tuple[str | None, str]:
    """Return the status that the sender declares and what is wrong with it (rootly.md 1.8)."""
    value = report.envelope.declared_status
    if value is None:
        value = routing.annotations(report.unit, report.envelope).alert_status
    if value is None or value in DECLARED:
        return value, ""
    return None, f"rootly_alert_status {str(value)[:40]!r} is none of {', '.join(DECLARED)}; ignored."


def _changes(alert: Alert | None, report: Report, now: datetime, declared: str | None) -> list[Change]:
    named: dict[str, Change] = {}
    members = alert.members if alert else {}
    for signal in report.unit.signals:
        said = replace(signal, state=State.RESOLVED) if declared == "resolved" else signal
        change = alerts.joined(members.get(signal.fingerprint), said, report.unit, now)
        if change:
            named[signal.fingerprint] = change
    if declared == "resolved" and alert:
        rest = [m for m in alert.firing if m.fingerprint not in named]
        over = [
            Change(what=What.ENDED, member=alerts.closed(m, now, now, inferred=True), signal=None)
            for m in rest
        ]
        return [*named.values(), *over]
    return [*named.values(), *alerts.swept(alert, named, report.unit, report.envelope, now)]


# ---------------------------------------------------------------- a new alert


def _created(draft: Draft, report: Report, changes: list[Change], by: Actor) -> None:
    unit, envelope, now = report.unit, report.envelope, draft.now
    members = {c.member.fingerprint: c.member for c in changes}
    text = alerts.text(unit, envelope, report.source, status="firing")
    draft.becomes(
        Alert(
            id=draft.mint(),
            number=report.number,
            source_id=None if report.source.type == API else report.source.id,
            identity=unit.identity,
            status=Status.OPEN,
            urgency_id=urgency(unit, envelope, report.source, (), draft.directory),
            summary=text.summary,
            alertname=unit.alertname,
            occurrence=1,
            request_count=1,
            truncated=envelope.truncated or 0,
            started_at=alerts.started_at(members, 1, now),
            ended_at=None,
            acknowledged_at=None,
            acknowledged_by=None,
            resolved_at=None,
            snoozed_until=None,
            last_received_at=now,
            delivery_id=report.delivery_id,
            unpaged=False,
            content=alerts.content(unit, text),
            created_at=now,
            members=members,
        )
    )
    draft.changes = changes
    draft.what = "created"
    concerns = routing.unpaged(report.attached) if report.attached else None
    draft.shown = Shown(text=text, unit=unit, envelope=envelope, routing=concerns)
    draft.note(
        "alert.created",
        f"{report.source.name} reported {_many(len(changes))}.",
        action="created",
        by=by,
        delivery=str(report.delivery_id),
        rule=unit.rule,
    )


def _many(firing: int) -> str:
    return f"{firing} firing" if firing != 1 else "1 firing"


# ---------------------------------------------------------------- a known alert


def _updated(draft: Draft, report: Report, changes: list[Change], declared: str | None, by: Actor) -> None:
    before = draft.alert
    begun = [c for c in changes if c.what in BEGINS]
    reopened = before.status is Status.RESOLVED and bool(begun)
    occurrence = before.occurrence + reopened
    members = before.members | {c.member.fingerprint: c.member for c in changes}
    for change in begun:
        members[change.member.fingerprint] = replace(change.member, occurrence=occurrence)
    draft.changes = [
        Change(what=c.what, member=members[c.member.fingerprint], signal=c.signal) for c in changes
    ]
    firing = any(m.state is State.FIRING for m in members.values())
    status = "firing" if firing else "resolved"
    text = alerts.text(report.unit, report.envelope, report.source, status=status)
    draft.becomes(
        replace(
            before,
            members=members,
            request_count=before.request_count + 1,
            last_received_at=draft.now,
            delivery_id=report.delivery_id,
            truncated=report.envelope.truncated or 0,
            summary=text.summary,
            identity=report.unit.identity,
            content=alerts.content(report.unit, text),
        )
    )
    if draft.alert.content != before.content:
        draft.shown = Shown(text=text, unit=report.unit, envelope=report.envelope, routing=None)
    if before.identity != report.unit.identity:
        draft.note(
            "alert.moved",
            "Its group key changed; known by its members.",
            kind=Kind.INFORMATIONAL,
            action="updated",
            by=by,
            rule=report.unit.rule,
        )
    if reopened:
        _reopened(draft, report, begun, declared, by)
    elif firing:
        _still_open(draft, report, begun, declared, by)
    elif before.is_open:
        resolved(draft, alerts.ended_at(members, occurrence, draft.now), by)
    else:
        _ignored(draft, by)


def _reopened(draft: Draft, report: Report, begun: list[Change], declared: str | None, by: Actor) -> None:
    doubtful = all(c.what is What.DOUBTFUL for c in begun)
    alert = draft.alert
    draft.becomes(
        replace(
            alert,
            status=Status.OPEN,
            occurrence=alert.occurrence + 1,
            ended_at=None,
            snoozed_until=None,
            acknowledged_by=None,
            unpaged=False,
            group=None,
            started_at=alerts.started_at(alert.members, alert.occurrence + 1, draft.now),
        )
    )
    draft.what = "reopened"
    draft.sent = []
    why = (
        "its start lies in the episode that ended, so it is held before it pages"
        if doubtful
        else "a new episode"
    )
    draft.note(
        "alert.reopened",
        f"Fires again ({why}).",
        action="retriggered",
        by=by,
        doubtful=doubtful,
        occurrence=draft.alert.occurrence,
        delivery=str(report.delivery_id),
    )
    _page(draft, report, declared, by, doubtful=doubtful)


def _still_open(draft: Draft, report: Report, begun: list[Change], declared: str | None, by: Actor) -> None:
    new = [c for c in begun if c.what is not What.DOUBTFUL and c.signal]
    ended = [c for c in draft.changes if c.what is What.ENDED]
    if begun or ended:
        _say_members(draft, begun, ended, by)
    else:
        _ignored(draft, by)
    for change in draft.changes:
        if change.what is What.RESTARTED:
            draft.note(
                "member.restarted",
                f"{_name(change.signal)} began anew without an end between.",
                by=by,
                kind=Kind.INFORMATIONAL,
                action="updated",
                fingerprint=change.member.fingerprint,
            )
    status = draft.alert.status
    if status is Status.ACKNOWLEDGED and new and report.source.repage_new_members:
        _repaged(draft, new, by)
    if begun:
        climbing.recount(draft)
    if (status is Status.OPEN and declared == "triggered") or (new and declared != "open"):
        _page(draft, report, declared, by)
    elif status is Status.OPEN and declared != "open" and _names_somebody(draft, report):
        # Nobody was paged so far, and now the sender says whom: a receiver or rule was mended while it fired.
        _page(draft, report, declared, by)


def _names_somebody(draft: Draft, report: Report) -> bool:
    """Return whether a delivery itself names somebody who exists; routes are not asked, a repeat must stay cheap."""
    said = any("rootly" in signal.annotations for signal in report.unit.signals)
    if report.url_target is None and not said and report.envelope.rootly is None:
        return False
    found = routing.route(report.unit, report.envelope, report.source, report.url_target, draft.directory)
    return found.stage in ("annotation", "url")


def _say_members(draft: Draft, begun: list[Change], ended: list[Change], by: Actor) -> None:
    parts = []
    if begun:
        parts.append("new: " + ", ".join(_name(c.signal) for c in begun[:5]))
    if ended:
        parts.append("over: " + ", ".join(_name(c.signal, c.member.fingerprint) for c in ended[:5]))
    draft.what = "updated"
    draft.note(
        "alert.members",
        "Members changed; " + "; ".join(parts) + ".",
        action="updated",
        by=by,
        kind=Kind.INFORMATIONAL,
        begun=len(begun),
        ended=len(ended),
    )


def _name(signal: Signal | None, fallback: str = "") -> str:
    if signal is None:
        return f"{fallback} (with its group)"
    return signal.labels.get("instance") or signal.labels.get("pod") or signal.fingerprint


def _repaged(draft: Draft, new: list[Change], by: Actor) -> None:
    if draft.alert.group is not None and leading.stays_taken(draft):
        return
    names = ", ".join(_name(c.signal) for c in new[:5])
    draft.becomes(replace(draft.alert, status=Status.TRIGGERED, acknowledged_by=None, snoozed_until=None))
    draft.note(
        "alert.repaged",
        f"Acknowledged before {names} joined; paging again for what is new.",
        action="retriggered",
        by=by,
        new=[c.member.fingerprint for c in new[:20]],
    )
    climbing.restart(draft)


def _ignored(draft: Draft, by: Actor) -> None:
    """Repeats are counted on the alert; the timeline says so once (alertmanager.md 2.2: no spam)."""
    draft.what = draft.what or "repeated"
    if draft.alert.request_count == 2:
        draft.note(
            "signal.repeated",
            "Reported again with nothing new; further repeats are only counted.",
            kind=Kind.INFORMATIONAL,
            action="ignored_alert_request",
            by=by,
        )


# ---------------------------------------------------------------- whom to page


def _page(draft: Draft, report: Report, declared: str | None, by: Actor, *, doubtful: bool = False) -> None:
    asked = urgency(report.unit, report.envelope, report.source, (), draft.directory)
    found = routing.route(
        report.unit, report.envelope, report.source, report.url_target, draft.directory, asked
    )
    if report.attached:
        found = replace(found, attached=report.attached)
        draft.service_ids |= {t.id for t in report.attached if t.type == "Service"}
    shown = draft.shown or _shown(draft, report)
    draft.shown = replace(shown, routing=found)
    for problem in found.problems:
        draft.note("routing.problem", problem, kind=Kind.ROUTING, action="skipped", by=by)
    if declared == "open":
        draft.note(
            "routing.declared_open",
            "Recorded without paging: the sender declared rootly_alert_status open.",
            kind=Kind.ROUTING,
            action="skipped",
            by=by,
        )
        return
    if not found.targets:
        _nobody(draft, found, declared, by)
        return
    # Only paths look at it, and only where somebody is paged: 7 us that a storm of unrouted alerts need not cost.
    draft.payload = identity.document(report.envelope, report.unit.signals)
    fresh = draft.alert.status is Status.OPEN
    if fresh:
        _triggered(draft, report, found)
    hold = report.hold_down if doubtful else _AT_ONCE
    if draft.directory.groupings or draft.alert.group is not None:
        leading.begin(draft, found, hold=hold, fresh=fresh)
    else:
        climbing.begin(draft, found.targets, found.reason, hold=hold)


_AT_ONCE = timedelta()


def _shown(draft: Draft, report: Report) -> Shown:
    text = alerts.text(report.unit, report.envelope, report.source, status="firing")
    return Shown(text=text, unit=report.unit, envelope=report.envelope, routing=None)


def _triggered(draft: Draft, report: Report, found: Routing) -> None:
    level = urgency(report.unit, report.envelope, report.source, found.targets, draft.directory)
    draft.becomes(replace(draft.alert, status=Status.TRIGGERED, urgency_id=level, unpaged=False))


def _nobody(draft: Draft, found: Routing, declared: str | None, by: Actor) -> None:
    if declared == "triggered":
        draft.note(
            "routing.nobody",
            "Declared triggered, but no route or default names anybody to page.",
            kind=Kind.ROUTING,
            action="skipped",
            by=by,
        )
    if found.problems and draft.alert.status is Status.OPEN and draft.directory.fallback_is_chosen:
        draft.becomes(replace(draft.alert, status=Status.TRIGGERED))
        climbing.fall_back(draft, "no target that was named exists")
    elif found.problems and draft.alert.status is Status.OPEN:
        # Somebody was meant to be paged. A typo must not mean silence: the alert is flagged and counted.
        draft.becomes(replace(draft.alert, unpaged=True))
        draft.fallback = "nobody"


# ---------------------------------------------------------------- a group that is over


def group_over(draft: Draft, event: GroupOver) -> None:
    """End the members of an alert whose whole group is over, though no delivery named them."""
    by = source(event.source.name, event.source.type)
    alert = draft.alert
    closing = alerts.ended_with(alert, event.group_hash, event.ended_at)
    draft.changes = [
        Change(
            what=What.ENDED, member=alerts.closed(m, event.ended_at, draft.now, inferred=True), signal=None
        )
        for m in closing
    ]
    members = alert.members | {c.member.fingerprint: c.member for c in draft.changes}
    draft.becomes(replace(alert, members=members, last_received_at=draft.now))
    draft.what = "updated"
    if not any(m.state is State.FIRING for m in members.values()):
        resolved(draft, alerts.ended_at(members, alert.occurrence, draft.now), by)
