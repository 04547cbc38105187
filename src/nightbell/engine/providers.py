"""What is known of the services that deliver for us: what the operator typed in, over what the machine was started with.

Rule 1: secrets are open only in the value that is handed to a channel; pages and exports get `shown`.
"""

from collections.abc import Mapping

from nightbell.core.providers import PROVIDERS, Provider
from nightbell.engine.sealed import MASK
from nightbell.engine.vault import Vault
from nightbell.store.db import Runner

Known = dict[str, dict[str, str]]


class Providers:
    """Reads services' settings; `fixed` are those of environment and file, which win."""

    def __init__(self, vault: Vault, fixed: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self._vault = vault
        self.fixed: Mapping[str, Mapping[str, str]] = fixed or {}

    async def every(self, runner: Runner) -> Known:
        """Return the settings of every service by name, secrets open."""
        stored = {row["name"]: row["settings"] for row in await runner.rows("read_providers")}
        return {name: self._merged(one, stored.get(name, {})) for name, one in PROVIDERS.items()}

    async def of(self, runner: Runner, name: str) -> dict[str, str]:
        """Return the settings of one service, secrets open."""
        return (await self.every(runner))[name]

    async def shown(self, runner: Runner) -> Known:
        """Return the settings for readers: secrets masked."""
        return {
            name: {
                f.name: MASK if f.secret and known[f.name] else known[f.name] for f in PROVIDERS[name].fields
            }
            for name, known in (await self.every(runner)).items()
        }

    def is_fixed(self, name: str, field: str) -> bool:
        """Return whether the machine decides this one."""
        return bool(self.fixed.get(name, {}).get(field))

    def _merged(self, provider: Provider, stored: Mapping[str, str]) -> dict[str, str]:
        fixed = self.fixed.get(provider.name, {})
        return {
            f.name: fixed.get(f.name) or self._vault.open_text(stored.get(f.name, "")) or f.default
            for f in provider.fields
        }
