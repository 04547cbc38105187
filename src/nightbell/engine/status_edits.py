"""What somebody wants changed about status pages, what is published on them, and updates to those who follow."""

from msgspec import UNSET, UnsetType

from nightbell.engine.edits import (
    Edit,
    Json,
    MaybeFlag,
    MaybeId,
    MaybeIds,
    MaybeText,
    MaybeTime,
    Text,
)


class StatusPageEdit(Edit, frozen=True, kw_only=True):
    """A status page. `wire` holds what Rootly has and we only keep."""

    title: Text = UNSET
    slug: MaybeText = UNSET
    public_title: MaybeText = UNSET
    description: MaybeText = UNSET
    public_description: MaybeText = UNSET
    success_message: MaybeText = UNSET
    failure_message: MaybeText = UNSET
    footer: MaybeText = UNSET
    website_url: MaybeText = UNSET
    support_url: MaybeText = UNSET
    privacy_url: MaybeText = UNSET
    section_order: list[str] | None | UnsetType = UNSET
    time_zone: MaybeText = UNSET
    service_ids: MaybeIds = UNSET
    public: MaybeFlag = UNSET
    enabled: MaybeFlag = UNSET
    indexed: MaybeFlag = UNSET
    wire: Json = UNSET


class StatusPageEventEdit(Edit, frozen=True, kw_only=True):
    """What is published of an incident. `impact`: of core.status_page.STATES, None follows the severity."""

    event: Text = UNSET
    status_page_id: MaybeId = UNSET
    status: MaybeText = UNSET
    impact: MaybeText = UNSET
    started_at: MaybeTime = UNSET
    notify_subscribers: MaybeFlag = UNSET
    should_tweet: MaybeFlag = UNSET


class UpdateEdit(Edit, frozen=True, kw_only=True):
    """What is written once to everybody who follows an incident. The same `key` again is the same update."""

    title: MaybeText = UNSET
    body: MaybeText = UNSET
    key: MaybeText = UNSET
