"""What somebody wants changed about schedules: one Edit per noun, like those of `edits.py`."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from nightbell.engine.edits import (
    Edit,
    Flag,
    Json,
    JsonList,
    MaybeFlag,
    MaybeId,
    MaybeIds,
    MaybeNumber,
    MaybeText,
    Number,
    Text,
)

Time = datetime | UnsetType
MaybeTime = datetime | None | UnsetType


class ScheduleEdit(Edit, frozen=True, kw_only=True):
    """A schedule. `time_off` and `holidays`: ignore, show or exchange."""

    name: Text = UNSET
    description: MaybeText = UNSET
    time_zone: Text = UNSET
    owner_user_id: MaybeNumber = UNSET
    owner_team_ids: MaybeIds = UNSET
    all_time_coverage: MaybeFlag = UNSET
    time_off: Text = UNSET
    holidays: Text = UNSET
    settings: Json = UNSET


class RotationEdit(Edit, frozen=True, kw_only=True):
    """A rotation. `members`: [{"user_id": 1 | "nested_schedule_id": "…", "position": 1}], the whole list.

    Shape: `windows`: [{"start_time": "09:00", "end_time": "17:00"}]; `days`: letters of the wire, S Sunday, U Saturday;
    `day_hours`: [{"day": "M", "windows": […]}], the whole list, for hours that are `custom`.
    """

    name: Text = UNSET
    position: Number = UNSET
    type: Text = UNSET
    time_zone: Text = UNSET
    handoff_time: Text = UNSET
    handoff_day: MaybeText = UNSET
    length: MaybeNumber = UNSET
    length_unit: MaybeText = UNSET
    advance: MaybeText = UNSET
    turn_minutes: MaybeNumber = UNSET
    all_week: Flag = UNSET
    days: list[str] | UnsetType = UNSET
    hours: Text = UNSET
    windows: JsonList = UNSET
    starts_at: MaybeTime = UNSET
    ends_at: MaybeTime = UNSET
    members: JsonList = UNSET
    day_hours: JsonList = UNSET


class MemberEdit(Edit, frozen=True, kw_only=True):
    """A member of a rotation: a person, or a schedule."""

    user_id: MaybeNumber = UNSET
    nested_schedule_id: MaybeId = UNSET
    position: Number = UNSET


class ActiveDayEdit(Edit, frozen=True, kw_only=True):
    """The hours of one day of a rotation."""

    day: Text = UNSET
    windows: JsonList = UNSET


class OverrideEdit(Edit, frozen=True, kw_only=True):
    """An override. `change`: cover (the default), add, replace or remove."""

    change: Text = UNSET
    starts_at: Time = UNSET
    ends_at: Time = UNSET
    user_id: MaybeNumber = UNSET
    replaces_user_id: MaybeNumber = UNSET
    reason: Text = UNSET


class SwapEdit(Edit, frozen=True, kw_only=True):
    """Somebody asks to be relieved. `user_id` None: whoever has shifts then, each asked for apart."""

    user_id: MaybeNumber = UNSET
    starts_at: Time = UNSET
    ends_at: Time = UNSET
    asked_user_id: MaybeNumber = UNSET
    return_starts_at: MaybeTime = UNSET
    return_ends_at: MaybeTime = UNSET
    reason: Text = UNSET


class ShadowEdit(Edit, frozen=True, kw_only=True):
    """Somebody listens. `of_user_id` None: to everybody on call in the schedule."""

    user_id: Number = UNSET
    of_user_id: MaybeNumber = UNSET
    starts_at: Time = UNSET
    ends_at: Time = UNSET


class TimeOffEdit(Edit, frozen=True, kw_only=True):
    """Somebody is away."""

    starts_at: Time = UNSET
    ends_at: Time = UNSET
    reason: Text = UNSET


class HolidayEdit(Edit, frozen=True, kw_only=True):
    """Whose public holidays count: ISO 3166 codes, "DE" and "BY"."""

    country: Text = UNSET
    subdivision: MaybeText = UNSET


class WorkingHoursEdit(Edit, frozen=True, kw_only=True):
    """When somebody works, where they live."""

    days: list[str] | UnsetType = UNSET
    windows: JsonList = UNSET


class FeedEdit(Edit, frozen=True, kw_only=True):
    """A calendar elsewhere, as a layer."""

    name: Text = UNSET
    position: Number = UNSET
    url: Text = UNSET
    refresh_minutes: Number = UNSET


class LinkEdit(Edit, frozen=True, kw_only=True):
    """A secret address: `kind` is person, schedule, on_call (text) or board (a page).

    Shape: `schedule_ids` for the last two, in the order in which they are shown; none: all there are.
    """

    kind: Text = UNSET
    name: Text = UNSET
    user_id: MaybeNumber = UNSET
    schedule_id: UUID | None | UnsetType = UNSET
    schedule_ids: MaybeIds = UNSET
