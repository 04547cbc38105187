"""What senders do to a receiver, asked from outside: rows A of the acceptance table, with captured bytes.

Rows A20 to A26 stand in test_acceptance_escalation.py, A32 comes with heartbeats, A13 and A33 stand in test_crash.py.
"""

import ast
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.bodies import alert, firing, moment, notification, over, paging, rootly, target
from support.household import HOLD_DOWN, House, Sender, captured, edited
from support.programs import eventually

SINGLE = "single_firing"
MULTI = "multi_alert_group"


def flushed(many: int):
    """Return the group's notification when only its first members were known (partial_first_flush)."""
    document = edited(MULTI)
    return document | {"alerts": document["alerts"][:many]}


def to_ana(house: House) -> str:
    """Return the end of a URL that pages Ana."""
    return f"/notify/User/{house.ana['id']}"


# ---------------------------------------------------------------- A1 to A8: groups, members, names


@pytest.mark.parametrize(
    ("settings", "many"),
    [
        ({}, 1),
        ({"identity": "fingerprint"}, 4),
        ({"identity": "alertname"}, 1),
        (
            {
                "deduplicate_alerts_by_key": True,
                "deduplication_key_kind": "payload",
                "deduplication_key_path": "$.alerts[*].labels.instance",
            },
            4,
        ),
    ],
    ids=["group", "fingerprint", "alertname", "key"],
)
def test_a_group_is_as_many_alerts_as_its_source_says(house: House, settings, many):
    """A1."""
    source = house.source(**settings)
    source.send(MULTI)
    assert len(source.alerts()) == many
    members = [member for one in source.alerts() for member in one["members"]]
    assert {member["labels"]["instance"] for member in members} == {f"api-{n}:8080" for n in range(4)}
    assert {(member["starts_at"], member["ends_at"]) for member in members} == {
        ("2026-11-23T02:01:00.000Z", None)
    }


def test_one_host_resolving_leaves_the_other_alone(house: House, source: Sender):
    """A2."""
    down = {
        host: firing(labels={"alertname": "InstanceDown", "instance": host}, groupKey=f'{{}}:{{i="{host}"}}')
        for host in "ab"
    }
    for document in down.values():
        source.give(document, to_ana(house))
    source.give(over(down["a"]), to_ana(house))
    assert [one["status"] for one in source.alerts()] == ["resolved", "triggered"]


def test_by_alertname_one_host_resolving_does_not_resolve_the_alert(house: House):
    """A2."""
    source = house.source(identity="alertname")
    down = {
        host: firing(labels={"alertname": "InstanceDown", "instance": host}, groupKey=f'{{}}:{{i="{host}"}}')
        for host in "ab"
    }
    for document in down.values():
        source.give(document, to_ana(house))
    source.give(over(down["a"]), to_ana(house))
    found = source.alert()
    assert (found["status"], found["member_count"], found["firing_count"]) == ("triggered", 2, 1)
    source.give(over(down["b"]), to_ana(house))
    assert source.alert()["status"] == "resolved"


def test_a_partly_resolved_group_still_fires(house: House, source: Sender):
    """A3."""
    for name in (MULTI, "mixed_firing_resolved"):
        source.send(name, suffix=to_ana(house))
    found = source.alert()
    states = {one["labels"]["instance"]: (one["state"], one["ends_at"]) for one in found["members"]}
    ended = ("resolved", "2026-11-23T02:26:38.045Z")
    assert states == {
        "api-0:8080": ended,
        "api-1:8080": ended,
        "api-2:8080": ("firing", None),
        "api-3:8080": ("firing", None),
    }
    assert found["status"] == "triggered"
    assert house.paged(found) == ["Ana"]
    source.send("all_resolved_group", suffix=to_ana(house))
    assert source.alert()["status"] == "resolved"


def test_a_repeat_pages_nobody(house: House, source: Sender):
    """A4."""
    source.send("repeat_first", suffix=to_ana(house))
    before = source.alert()
    source.send("repeat_second", suffix=to_ana(house))
    after = source.alert()
    assert (after["id"], after["request_count"]) == (before["id"], 2)
    assert moment(after["last_received_at"]) > moment(before["last_received_at"])
    assert "ignored_alert_request" in [event["action"] for event in house.events(after)]
    house.mailed(after, house.ana, 1)
    assert house.paged(after) == ["Ana"]


def test_a_new_member_pages_nobody_while_somebody_is_being_paged(house: House, source: Sender):
    """A5."""
    source.give(flushed(2), to_ana(house))
    source.send(MULTI, suffix=to_ana(house))
    found = source.alert()
    assert (found["member_count"], house.paged(found)) == (4, ["Ana"])


def test_a_new_member_of_an_acknowledged_alert_pages_again(house: House, source: Sender):
    """A5."""
    source.give(flushed(3), to_ana(house))
    house.api.ask("POST", f"/alerts/{source.alert()['id']}/acknowledge")
    source.send(MULTI, suffix=to_ana(house))
    found = source.alert()
    assert (found["status"], house.paged(found)) == ("triggered", ["Ana", "Ana"])
    again = [event for event in house.events(found) if event["code"] == "alert.repaged"]
    assert [event["action"] for event in again] == ["retriggered"]
    assert "api-3:8080" in again[0]["details"]


def test_a_source_may_ask_not_to_page_again_for_new_members(house: House):
    """A5."""
    source = house.source(repage_new_members=False)
    source.give(flushed(3), to_ana(house))
    house.api.ask("POST", f"/alerts/{source.alert()['id']}/acknowledge")
    source.send(MULTI, suffix=to_ana(house))
    found = source.alert()
    assert (found["status"], found["member_count"], house.paged(found)) == ("acknowledged", 4, ["Ana"])


def test_a_resolve_of_nothing_known_is_a_line_in_the_log(house: House, source: Sender):
    """A6."""
    answer = source.send("all_resolved_single", suffix=to_ana(house))
    assert source.alerts() == []
    assert answer.json["status"] == "ignored"
    delivery = source.delivery()
    assert (delivery["outcome"], delivery["reason"]) == ("ignored", "resolve_without_alert")


def test_nothing_is_resolved_by_its_absence_from_a_truncated_list(house: House, source: Sender):
    """A7."""
    source.send("truncated_max_alerts3")
    first = source.alert()
    assert (first["member_count"], first["truncated"]) == (3, 7)
    document = edited("truncated_max_alerts3")
    source.give(document | {"alerts": document["alerts"][:1]})
    second = source.alert()
    assert (second["status"], second["firing_count"]) == ("open", 3)
    last = over(document) | {"alerts": over(document)["alerts"][:1]}
    source.give(last)
    assert source.alert()["firing_count"] == 2
    source.give(last | {"truncatedAlerts": 0})
    assert source.alert()["status"] == "resolved"


def test_a_group_that_is_over_ends_members_it_does_not_name(house: House, source: Sender):
    """A7b."""
    source.send(MULTI, "all_resolved_group")
    found = source.alert()
    assert found["status"] == "resolved"
    inferred = {one["labels"]["instance"]: one["inferred"] for one in found["members"]}
    assert inferred == {
        "api-0:8080": True,
        "api-1:8080": True,
        "api-2:8080": False,
        "api-3:8080": False,
    }


def test_a_truncated_group_that_is_over_ends_only_whom_it_names(house: House, source: Sender):
    """A7b."""
    source.send(MULTI)
    source.give(edited("all_resolved_group", truncatedAlerts=1))
    found = source.alert()
    assert (found["status"], found["firing_count"]) == ("open", 2)


def test_each_alertname_of_a_delivery_is_an_alert(house: House, source: Sender):
    """A8."""
    both = notification(
        alert({"alertname": "One", "job": "api"}), alert({"alertname": "Two", "job": "api"}), groupKey="{}:j"
    )
    source.give(both)
    assert [(one["summary"], one["external_id"]) for one in source.alerts()] == [
        ("One", "One"),
        ("Two", "Two"),
    ]
    one, two = both["alerts"]
    source.give(both | {"alerts": [one | {"status": "resolved", "endsAt": "2026-11-23T02:30:00Z"}, two]})
    assert [one["status"] for one in source.alerts()] == ["resolved", "open"]


# ---------------------------------------------------------------- A9 to A11: who wins


def test_the_annotation_wins_over_the_url(house: House, source: Sender):
    """A9."""
    source.give(firing(annotations=paging("User", house.bo)), to_ana(house))
    found = source.alert()
    assert house.paged(found) == ["Bo"]
    assert "annotation wins" in house.said(found, "routing.problem")


def test_a_list_of_targets_wins_over_a_single_one(house: House, source: Sender):
    """A10."""
    both = {
        "notification_target": target("User", house.ana),
        "alerting_targets": [target("User", house.bo)],
    }
    source.give(firing(annotations=rootly(both)))
    found = source.alert()
    assert house.paged(found) == ["Bo"]
    assert "alerting_targets wins" in house.said(found, "routing.problem")


def test_members_with_different_targets_page_the_union(house: House, source: Sender):
    """A11."""
    members = [
        alert({"alertname": "Union", "instance": person["name"]}, annotations=paging("User", person))
        for person in (house.ana, house.bo, house.ana)
    ]
    members[2]["labels"] = members[2]["labels"] | {"disk": "2"}
    source.give(notification(*members, groupKey="{}:u"))
    assert house.paged(source.alert()) == ["Ana", "Bo"]


# ---------------------------------------------------------------- A14 to A16: duplicates, order, moving groups


def test_duplicates_at_the_same_time_are_one_alert_and_one_page(house: House, source: Sender):
    """A14."""
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: source.post(captured("repeat_first"), to_ana(house)), range(3)))
    assert [one.status for one in answers] == [200] * 3
    source.send("repeat_second", suffix=to_ana(house))
    found = source.alert()
    assert (found["request_count"], house.paged(found)) == (4, ["Ana"])
    house.mailed(found, house.ana, 1)


def test_a_late_copy_reopens_at_once_but_pages_only_after_the_hold_down(house: House, source: Sender):
    """A15, as DESIGN 6 overrules it: never dropped, seen at once, paged when it lasts."""
    for name in ("same_startsAt_refire_1", "same_startsAt_refire_2", "same_startsAt_refire_3"):
        source.send(name, suffix=to_ana(house))
    found = source.alert()
    assert (found["status"], found["occurrence"], found["ended_at"]) == ("triggered", 2, None)
    assert house.paged(found) == ["Ana"]
    eventually(lambda: house.paged(found) == ["Ana", "Ana"], within=HOLD_DOWN + 5)


def test_a_stale_peer_that_is_corrected_pages_nobody_twice(house: House, source: Sender):
    """A15."""
    names = ("ooo_1_firing", "ooo_2_resolved", "ooo_3_firing_after_resolved", "ooo_4_resolved_again")
    statuses = []
    for name in names:
        source.send(name, suffix=to_ana(house))
        statuses.append(source.alert()["status"])
    assert statuses == ["triggered", "resolved", "triggered", "resolved"]
    found = source.alert()
    assert found["ended_at"] == "2026-11-23T02:51:13.909Z"
    waited = moment(found["last_received_at"]) + timedelta(seconds=HOLD_DOWN + 1)
    eventually(lambda: datetime.now(UTC) > waited)
    assert house.paged(found) == ["Ana"]


def test_a_later_start_is_a_new_episode_that_pages_at_once(house: House, source: Sender):
    """A15."""
    document = firing(groupKey="{}:again")
    source.give(document, to_ana(house))
    source.give(over(document), to_ana(house))
    document["alerts"][0]["startsAt"] = "2026-11-23T02:40:00Z"
    source.give(document, to_ana(house))
    assert house.paged(source.alert()) == ["Ana", "Ana"]


def test_an_alert_is_known_though_its_group_key_changed(house: House, source: Sender):
    """A16."""
    renamed = {"groupKey": '{}/{team="new"}:{alertname="HighErrorRate"}'}
    source.send(SINGLE, suffix=to_ana(house))
    source.give(edited(SINGLE, **renamed), to_ana(house))
    found = source.alert()
    assert (found["status"], house.paged(found)) == ("triggered", ["Ana"])
    source.give(over(edited(SINGLE, **renamed)), to_ana(house))
    assert source.alert()["status"] == "resolved"


# ---------------------------------------------------------------- the table


#: Those of this part; the others need a later one.
_ROWS = (
    *(
        f"C{n}"
        for n in "1 2 3a 3b 3c 3d 4 5 6a 6b 6c 6d 8 9a 9b 9c 9d 10a 10b 10c 10d 10e 11 12a 12b 13 14a 14b 14c 14d 15".split()
    ),
    *(f"T{n}" for n in "1a 1b 1c 2 3a 3b 4a 4b 4c".split()),
    *(f"A{n}" for n in "1 2 3 4 5 6 7 7b".split()),
    *(f"A{n}" for n in (*range(8, 20), *range(27, 32), *range(33, 37))),
)


def test_every_row_of_this_part_has_a_test():
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in Path(__file__).parent.glob("test_*.py")]
    tests = [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    named = {
        row for test in tests for row in re.findall(r"\b[CTA]\d+[a-e]?\b", ast.get_docstring(test) or "")
    }
    assert set(_ROWS) - named == set()
