"""What somebody wants changed in the configuration: one Edit per noun, the same for making and for changing.

Rule 1: UNSET means "leave it", None means "empty it"; whoever fills an Edit (API, form, CLI) never guesses.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

Text = str | UnsetType
MaybeText = str | None | UnsetType
Number = int | UnsetType
MaybeNumber = int | None | UnsetType
Flag = bool | UnsetType
MaybeFlag = bool | None | UnsetType
MaybeId = UUID | None | UnsetType
MaybeTime = datetime | None | UnsetType
Ids = list[UUID] | UnsetType
MaybeIds = list[UUID] | None | UnsetType
UserIds = list[int] | None | UnsetType
Json = dict[str, Any] | None | UnsetType
JsonList = list[dict[str, Any]] | None | UnsetType


class Edit(Struct, frozen=True, kw_only=True):
    """What all edits share."""

    def sent(self) -> dict[str, Any]:
        """Return the fields that were sent, by name."""
        pairs = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in pairs if value is not UNSET}


class UserEdit(Edit, frozen=True, kw_only=True):
    """A person. `password_hash` comes from engine/identity.hash_password, never from a request."""

    name: Text = UNSET
    email: Text = UNSET
    role: Text = UNSET
    time_zone: Text = UNSET
    active: Flag = UNSET
    password_hash: MaybeText = UNSET
    #: {"blocks": [{"days": ["M"…], "start_time", "end_time", "all_day"}], "audible": false} where they live; {} none.
    quiet_hours: Json = UNSET
    #: Of alerts they were paged for they are told: all, resolved, none.
    updates: Text = UNSET
    #: How many hours before a shift they are reminded.
    notice_hours: list[int] | UnsetType = UNSET
    handoff_notices: Flag = UNSET


class ThrottleEdit(Edit, frozen=True, kw_only=True):
    """At most `most` messages of a kind in `seconds`. `scope` is method or installation."""

    kind: Text = UNSET
    scope: Text = UNSET
    most: Number = UNSET
    seconds: Number = UNSET


class ContactMethodEdit(Edit, frozen=True, kw_only=True):
    """An address of a person. Secrets among the settings are sealed before they are stored."""

    kind: Text = UNSET
    name: Text = UNSET
    address: Text = UNSET
    settings: Json = UNSET
    is_primary: Flag = UNSET


class NotificationRuleEdit(Edit, frozen=True, kw_only=True):
    """When a person's contact method is used. `loudness` is audible or quiet."""

    contact_method_id: MaybeId = UNSET
    loudness: Text = UNSET
    delay_minutes: Number = UNSET
    position: Number = UNSET


class TeamEdit(Edit, frozen=True, kw_only=True):
    """A team. Administrators are members too."""

    name: Text = UNSET
    slug: Text = UNSET
    description: MaybeText = UNSET
    color: MaybeText = UNSET
    escalation_policy_id: MaybeId = UNSET
    user_ids: UserIds = UNSET
    admin_ids: UserIds = UNSET
    #: Whether its people are told of updates of the incidents it is on, and in which channel: {"id", "name"}.
    incident_broadcast_enabled: MaybeFlag = UNSET
    incident_broadcast_channel: Json = UNSET


class ServiceEdit(Edit, frozen=True, kw_only=True):
    """A service."""

    name: Text = UNSET
    slug: Text = UNSET
    description: MaybeText = UNSET
    color: MaybeText = UNSET
    escalation_policy_id: MaybeId = UNSET
    urgency_id: MaybeId = UNSET
    owner_team_ids: MaybeIds = UNSET


class PolicyEdit(Edit, frozen=True, kw_only=True):
    """An escalation policy; `team_ids` and `service_ids` are the other end of their policy.

    Shape: `business_hours` is {"time_zone", "days": ["M"…], "start_time", "end_time"}.
    """

    name: Text = UNSET
    description: MaybeText = UNSET
    repeat_count: MaybeNumber = UNSET
    team_ids: MaybeIds = UNSET
    service_ids: MaybeIds = UNSET
    business_hours: Json = UNSET


class PathEdit(Edit, frozen=True, kw_only=True):
    """A path of a policy. `settings` says when it applies (checking_paths.py), merged key by key."""

    name: Text = UNSET
    is_default: Flag = UNSET
    loudness: Text = UNSET
    position: Number = UNSET
    repeat: MaybeFlag = UNSET
    repeat_count: MaybeNumber = UNSET
    initial_delay_minutes: MaybeNumber = UNSET
    settings: Json = UNSET


class LevelEdit(Edit, frozen=True, kw_only=True):
    """A level of a path. `targets`: [{"type": "user", "id": "27854", "team_members": null}].

    Shape: `settings` says how it pages, or that it only waits (checking_levels.py), merged key by key.
    """

    position: Number = UNSET
    delay_minutes: MaybeNumber = UNSET
    targets: JsonList = UNSET
    settings: Json = UNSET


class UrgencyEdit(Edit, frozen=True, kw_only=True):
    """An urgency; the smallest position is the loudest. `retrigger_timeout_minutes`: how long an acknowledgement holds."""

    name: Text = UNSET
    description: MaybeText = UNSET
    position: Number = UNSET
    color: MaybeText = UNSET
    retrigger_timeout_minutes: MaybeNumber = UNSET


class MaintenanceEdit(Edit, frozen=True, kw_only=True):
    """Planned work. `hours`: {"time_zone", "blocks": [{"days": ["M"…], "start_time", "end_time"}]}, when it comes back."""

    name: Text = UNSET
    description: MaybeText = UNSET
    service_ids: MaybeIds = UNSET
    source_ids: MaybeIds = UNSET
    starts_at: MaybeTime = UNSET
    ends_at: MaybeTime = UNSET
    hours: Json = UNSET


class SourceEdit(Edit, frozen=True, kw_only=True):
    """A source. `urgency_rules`: [{"json_path", "operator", "value", "urgency_id"}]; `default_target`: {"type", "id"}."""

    name: Text = UNSET
    type: Text = UNSET
    enabled: Flag = UNSET
    identity: Text = UNSET
    dedup_path: MaybeText = UNSET
    dedup_regexp: MaybeText = UNSET
    urgency_id: MaybeId = UNSET
    urgency_rules: JsonList = UNSET
    default_target: Json = UNSET
    repage_new_members: Flag = UNSET
    owner_team_ids: MaybeIds = UNSET
    settings: Json = UNSET


class RouteEdit(Edit, frozen=True, kw_only=True):
    """A route. `rules` as in the schema: id, name, fallback, destinations, condition_groups."""

    name: Text = UNSET
    enabled: Flag = UNSET
    source_ids: MaybeIds = UNSET
    owner_team_ids: MaybeIds = UNSET
    rules: JsonList = UNSET
    position: Number = UNSET


class HeartbeatEdit(Edit, frozen=True, kw_only=True):
    """A heartbeat. `target` is {"type", "id"}; `matchers`: alerts that are beats of it, as Alertmanager writes them."""

    name: Text = UNSET
    description: MaybeText = UNSET
    alert_summary: Text = UNSET
    alert_description: MaybeText = UNSET
    urgency_id: MaybeId = UNSET
    interval_count: Number = UNSET
    interval_unit: Text = UNSET
    grace_seconds: MaybeNumber = UNSET
    target: Json = UNSET
    owner_team_ids: MaybeIds = UNSET
    matchers: MaybeText = UNSET
    enabled: MaybeFlag = UNSET


class GroupingEdit(Edit, frozen=True, kw_only=True):
    """A grouping rule. `time_window` in minutes; `targets`, `attributes`, `conditions` as in configure_groupings.py."""

    name: Text = UNSET
    slug: MaybeText = UNSET
    description: MaybeText = UNSET
    condition_type: Text = UNSET
    time_window: MaybeNumber = UNSET
    by_title: MaybeFlag = UNSET
    by_urgency: MaybeFlag = UNSET
    targets: JsonList = UNSET
    attributes: JsonList = UNSET
    conditions: JsonList = UNSET
    owner_team_ids: MaybeIds = UNSET
    position: Number = UNSET


class AlertEdit(Edit, frozen=True, kw_only=True):
    """What a person may rewrite of an alert. Its source says it anew when what it says changes."""

    summary: Text = UNSET
    description: MaybeText = UNSET
    external_id: MaybeText = UNSET
    external_url: MaybeText = UNSET
    urgency_id: MaybeId = UNSET
    labels: dict[str, str] | UnsetType = UNSET
    #: What it concerns; whom it pages is another matter.
    service_ids: MaybeIds = UNSET
    team_ids: MaybeIds = UNSET
