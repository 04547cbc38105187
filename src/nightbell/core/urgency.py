"""How loudly an alert asks: rules of its source, then the source's own, then the service's, then the loudest."""

from uuid import UUID

from nightbell.core import identity
from nightbell.core.comparing import compared
from nightbell.core.directory import Directory, Source, Target
from nightbell.core.identity import Unit
from nightbell.core.signal import Envelope


def urgency(
    unit: Unit, envelope: Envelope, source: Source, targets: tuple[Target, ...], directory: Directory
) -> UUID | None:
    """Return the urgency of a unit; None only where no urgency exists at all (rootly.md 1.5)."""
    if source.urgency_rules:
        payload = identity.document(envelope, unit.signals)
        for rule in source.urgency_rules:
            if compared(rule.operator, rule.find(payload), (rule.value,)):
                return rule.urgency_id
    if source.urgency_id:
        return source.urgency_id
    services = (directory.services.get(t.id) for t in targets if t.type == "Service")
    own = next((s.urgency_id for s in services if s and s.urgency_id), None)
    return own or (directory.urgencies[0] if directory.urgencies else None)
