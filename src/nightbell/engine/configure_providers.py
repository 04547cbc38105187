"""This file changes what is known of the services that deliver for us; secrets are sealed before they are written."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nightbell.core.errors import Unknown
from nightbell.core.journal import Actor
from nightbell.core.providers import PROVIDERS, Field, Provider
from nightbell.engine.changing import Writer
from nightbell.engine.checks import Checks
from nightbell.engine.ids import new_id
from nightbell.engine.sealed import MASK

_LONGEST = 500


class ProviderSettings(Writer):
    """Changes the settings of services."""

    async def set_provider(self, name: str, sent: Mapping[str, str], *, by: Actor, now: datetime) -> None:
        """Change fields of a service; a masked secret stays, an empty field is forgotten, others are left alone.

        Raises: Unknown for a service there is not, Problems naming the field.
        """
        provider = PROVIDERS.get(name)
        if provider is None:
            raise Unknown(f"There is no service {name}. Known: {', '.join(sorted(PROVIDERS))}.")
        fields = _checked(provider, sent)
        async with self.changing(by, now) as change:
            rows = {row["name"]: row["settings"] for row in await change.tx.rows("read_providers")}
            before: dict[str, Any] = rows.get(name, {})
            after = dict(before)
            for field in provider.fields:
                if field.name in fields and fields[field.name] != MASK:
                    after[field.name] = self._stored(field, fields[field.name])
            kept = {key: value for key, value in after.items() if value}
            await change.tx.execute("set_provider", new_id(now), name, kept, now)
            changed = sorted(key for key in {*before, *kept} if before.get(key) != kept.get(key))
            if changed:
                await change.note("provider.updated", "provider", 0, name=name, fields=changed)

    def _stored(self, field: Field, value: str) -> str:
        return self.vault.seal_text(value) if field.secret and value else value


def _checked(provider: Provider, sent: Mapping[str, str]) -> dict[str, str]:
    known = {field.name: field for field in provider.fields}
    checks = Checks({name: value.strip() for name, value in sent.items()})
    for name in sent:
        field = known.get(name)
        if field is None:
            checks.wrong(name, f"{provider.label} has no setting {name}", hint=f"known: {', '.join(known)}")
            continue
        if field.machine:
            checks.wrong(name, "This is set on the machine only, see docs/settings.md")
        if field.choices and checks.sent[name] not in ("", *field.choices):
            checks.wrong(name, f"It must be one of: {', '.join(field.choices)}")
        if any(ord(c) < 32 for c in checks.sent[name]):
            checks.wrong(name, "No line breaks or control characters")
        checks.text(name, longest=_LONGEST, empty=True)
    checks.done()
    return dict(checks.sent)
