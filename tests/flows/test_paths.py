"""Paths of a policy: which one an alert takes, what puts it off, how long an acknowledgement holds."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from nightbell.core.alert_fields import field_id
from nightbell.core.errors import Invalid
from nightbell.core.journal import SYSTEM
from nightbell.engine import edits
from nightbell.engine.checks import Problems
from nightbell.testing.scenario import Scene

#: Monday to Friday.
WEEK = {day: True for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


@pytest.fixture
async def policy(scene, ana):
    """A policy whose default path pages Ana once."""
    return await scene.cast.policy(([ana], 60))


def on(severity):
    """What makes an alert fire with a severity."""
    return {"labels": {"severity": severity}}


async def urgent(scene, policy):
    """A source whose severities are urgencies; the ids of High and Medium."""
    high, medium = await scene.cast.urgency("High"), await scene.cast.urgency("Medium")
    rules = [
        {"json_path": "$.commonLabels.severity", "operator": "is", "value": word, "urgency_id": str(level)}
        for word, level in (("critical", high), ("warning", medium))
    ]
    await scene.cast.source(pages=policy, urgency_rules=rules)
    return str(high), str(medium)


def night(until="09:00", zone="Europe/Berlin"):
    """Every night until a time."""
    days = dict.fromkeys((*WEEK, "saturday", "sunday"), True)
    return {"rule_type": "deferral_window", "time_zone": zone,
            "time_blocks": [{**days, "start_time": "18:00", "end_time": until}]}  # fmt: skip


# ---------------------------------------------------------------- deferral


async def test_a_medium_alert_waits_for_the_morning_and_a_high_one_does_not(scene, policy, ana):
    _, medium = await urgent(scene, policy)
    rules = [{"rule_type": "alert_urgency", "urgency_ids": [medium]}, night()]
    await scene.cast.path(policy, path_type="deferral", after_deferral_behavior="re_evaluate", rules=rules)
    await (
        scene.at("02:00").firing("Slow", **on("warning")).status("deferred").says("escalation.deferred")
        .firing("Down", **on("critical")).pages(ana).status("triggered").acknowledged(ana)
        .quiet_until("07:59")
        .at("08:00").pages(ana).status("triggered", "Slow")
        .acknowledged(ana, "Slow")
        .at("12:00").firing("Slow again", **on("warning")).pages(ana)
    )  # fmt: skip


async def test_a_deferral_may_end_in_a_path_of_its_own(scene, policy, ana, ben):
    await urgent(scene, policy)
    quietly = await scene.cast.path(policy, ([ben], 60))
    await scene.cast.path(
        policy, path_type="deferral", rules=[night()],
        after_deferral_behavior="execute_path", after_deferral_path_id=str(quietly),
    )  # fmt: skip
    await scene.at("02:00").firing("Slow").quiet_until("07:59").at("08:00").pages(ben)


async def test_a_deferred_alert_can_be_acknowledged_resolved_and_escalated(scene, policy, ana):
    await urgent(scene, policy)
    await scene.cast.path(policy, path_type="deferral", rules=[night()])
    await (
        scene.at("02:00").firing("One").acknowledged(ana).status("acknowledged")
        .firing("Two").resolved("Two").status("resolved")
        .firing("Three").escalated(ana).pages(ana).status("triggered").acknowledged(ana)
        .quiet_until("12:00")
    )  # fmt: skip


async def test_a_deferral_survives_a_restart(scene, policy, ana):
    await urgent(scene, policy)
    await scene.cast.path(policy, path_type="deferral", rules=[night()])
    await scene.at("02:00").firing("Slow").killed().quiet_until("07:59").at("08:00").pages(ana)


async def test_deferrals_are_asked_before_every_other_path(scene, policy, ben):
    _, medium = await urgent(scene, policy)
    await scene.cast.path(
        policy, ([ben], 60), rules=[{"rule_type": "alert_urgency", "urgency_ids": [medium]}]
    )
    await scene.cast.path(policy, path_type="deferral", rules=[night()])
    await (
        scene.at("02:00").firing("Slow", **on("warning")).status("deferred")
        .at("08:00").pages(ben)
    )  # fmt: skip


async def test_a_policy_deleted_while_it_defers_pages_the_fallback(scene, policy, ana, ben):
    await scene.cast.fallback(ben)
    await urgent(scene, policy)
    await scene.cast.path(policy, path_type="deferral", rules=[night()])

    async def delete():
        await scene.configure.delete_policy(UUID(policy.id), by=SYSTEM, now=scene.clock())

    await scene.at("02:00").firing("Slow").then(delete).quiet_until("07:59").at("08:00").pages(ben)


async def test_a_deferral_in_the_hour_that_is_lived_twice_ends_once(db):
    """Berlin, 25 October 2026: 02:30 is shown at 00:30 and at 01:30 UTC; the window ends at the first."""
    scene = Scene(db, start=datetime(2026, 10, 25, 0, 0, tzinfo=UTC))
    await scene.start()
    ana = await scene.cast.person("Ana", "sms")
    policy = await scene.cast.policy(([ana], 600))
    await scene.cast.source(pages=policy)
    await scene.cast.path(policy, path_type="deferral", rules=[night("02:30")])
    await (
        scene.at("00:00").firing("One").status("deferred")
        .at("00:30").pages(ana).acknowledged(ana)
        .at("01:15").firing("Two").pages(ana)
    )  # fmt: skip
    await scene.stop()


async def test_a_deferral_until_a_time_that_does_not_exist_ends_after_the_gap(db):
    """Berlin, 29 March 2026: from 01:00 UTC on it is 03:00; 02:30 is never shown."""
    scene = Scene(db, start=datetime(2026, 3, 28, 23, 0, tzinfo=UTC))
    await scene.start()
    ana = await scene.cast.person("Ana", "sms")
    policy = await scene.cast.policy(([ana], 600))
    await scene.cast.source(pages=policy)
    await scene.cast.path(policy, path_type="deferral", rules=[night("02:30")])
    await scene.at("23:00").firing("One").quiet_until("00:59").at("01:00").pages(ana)
    await scene.stop()


# ---------------------------------------------------------------- hours


async def test_working_hours_choose_the_path(scene, policy, ana, ben):
    await scene.cast.hours(
        policy, time_zone="Europe/Berlin", days=list("MTWRF"), start_time="09:00", end_time="17:00"
    )
    await scene.cast.path(
        policy, ([ben], 60), rules=[{"rule_type": "working_hour", "within_working_hour": True}]
    )
    await scene.cast.source(pages=policy)
    await (
        scene.at("02:00").firing("Night").pages(ana).acknowledged(ana)
        .at("07:59").firing("Nearly").pages(ana).acknowledged(ana)
        .at("08:00").firing("Day").pages(ben).acknowledged(ben)
        .at("16:00").firing("Evening").pages(ana)
    )  # fmt: skip


async def test_outside_working_hours_is_a_rule_too(scene, policy, ana, ben):
    await scene.cast.hours(
        policy, time_zone="Etc/UTC", days=list("MTWRF"), start_time="09:00", end_time="17:00"
    )
    await scene.cast.path(
        policy, ([ben], 60), rules=[{"rule_type": "working_hour", "within_working_hour": False}]
    )
    await scene.cast.source(pages=policy)
    await scene.at("02:00").firing("Night").pages(ben).acknowledged(ben).at("10:00").firing("Day").pages(ana)


async def test_hours_of_the_week_may_run_over_several_days(scene, policy, ana, ben):
    weekend = [{"start_day": "friday", "start_time": "18:00", "end_day": "monday", "end_time": "08:00"}]
    await scene.cast.path(
        policy, ([ben], 60), time_restrictions=weekend, time_restriction_time_zone="Etc/UTC"
    )
    await scene.cast.source(pages=policy)
    await (
        scene.at("02:00").firing("Early Monday").pages(ben).acknowledged(ben)
        .at("08:00").firing("Monday").pages(ana)
    )  # fmt: skip


# ---------------------------------------------------------------- what an alert says


@pytest.mark.parametrize(
    ("rule", "taken"),
    [
        ({"operator": "is", "value": "warning"}, True),
        ({"operator": "is", "value": "critical"}, False),
        ({"operator": "is_not", "value": "critical"}, True),
        ({"operator": "is_one_of", "values": ["info", "warning"]}, True),
        ({"operator": "is_not_one_of", "values": ["info", "warning"]}, False),
        ({"operator": "contains", "value": "arn"}, True),
        ({"operator": "does_not_contain", "value": "arn"}, False),
        ({"operator": "starts_with", "value": "warn"}, True),
        ({"operator": "does_not_start_with", "value": "warn"}, False),
        ({"operator": "matches", "value": "^w.*g$"}, True),
        ({"operator": "does_not_match", "value": "^w.*g$"}, False),
        ({"operator": "is_set"}, True),
        ({"operator": "is_not_set"}, False),
        ({"operator": "contains_key", "value": "severity", "json_path": "$.commonLabels"}, True),
        ({"operator": "does_not_contain_key", "value": "severity", "json_path": "$.commonLabels"}, False),
        ({"operator": "is", "value": "warning", "json_path": "$.alerts[*].labels.severity"}, True),
    ],
)
async def test_the_payload_chooses_the_path(scene, policy, ana, ben, rule, taken):
    rule = {"rule_type": "json_path", "json_path": "$.commonLabels.severity", **rule}
    await scene.cast.path(policy, ([ben], 60), rules=[rule])
    await scene.cast.source(pages=policy)
    await scene.at("02:00").firing("Slow", **on("warning")).pages(ben if taken else ana)


async def test_a_field_a_service_and_a_source_choose_the_path(scene, policy, ana, ben):
    service = await scene.cast.service(policy=policy)
    source = await scene.cast.source(pages=policy)
    title = {"rule_type": "field", "fieldable_type": "AlertField", "fieldable_id": str(field_id("title")),
             "operator": "starts_with", "values": ["Disk"]}  # fmt: skip
    await scene.cast.path(policy, ([ben], 60), rules=[title])
    await scene.cast.path(policy, ([ben], 60), rules=[{"rule_type": "service", "service_ids": [service.id]}])
    await (
        scene.at("02:00").firing("DiskFull").pages(ben).acknowledged(ben)
        .firing("Slow").pages(ana).acknowledged(ana)
        .firing("Slower", url=service).pages(ben).acknowledged(ben)
    )  # fmt: skip
    sources = {"rule_type": "source", "operator": "is_one_of", "values": ["grafana", "alertmanager"]}
    await scene.cast.path(policy, ([ben], 60), rules=[sources])
    await scene.now.firing("Slowest", source=source).pages(ben)


async def test_all_rules_must_hold_unless_any_is_enough(scene, policy, ana, ben):
    rules = [
        {
            "rule_type": "json_path",
            "json_path": "$.commonLabels.severity",
            "operator": "is",
            "value": "warning",
        },
        {"rule_type": "json_path", "json_path": "$.commonLabels.team", "operator": "is", "value": "db"},
    ]
    path = await scene.cast.path(policy, ([ben], 60), rules=rules)
    await scene.cast.source(pages=policy)
    await scene.at("02:00").firing("One", **on("warning")).pages(ana).acknowledged(ana)
    edit = edits.PathEdit(settings={"match_mode": "match-any-rule"})
    await scene.configure.update_path(path, edit, by=SYSTEM, now=scene.clock())
    await scene.now.firing("Two", **on("warning")).pages(ben)


async def test_the_first_path_that_matches_is_taken(scene, policy, ana, ben):
    cal = await scene.cast.person("Cal", "sms")
    any_severity = {"rule_type": "json_path", "json_path": "$.commonLabels.severity", "operator": "is_set"}
    await scene.cast.path(policy, ([ben], 60), rules=[any_severity])
    await scene.cast.path(policy, ([cal], 60), rules=[any_severity])
    await scene.cast.source(pages=policy)
    await scene.at("02:00").firing("One", **on("warning")).pages(ben)


async def test_a_path_without_rules_never_hides_the_default(scene, policy, ana, ben):
    await scene.cast.path(policy, ([ben], 60))
    await scene.cast.source(pages=policy)
    await scene.at("02:00").firing("One").pages(ana)


async def test_a_quiet_path_uses_quiet_rules(scene, policy):
    dan = await scene.cast.person("Dan", "voice", quiet=("email",))
    any_severity = {"rule_type": "json_path", "json_path": "$.commonLabels.severity", "operator": "is_set"}
    await scene.cast.path(policy, ([dan], 60), loudness="quiet", rules=[any_severity])
    await scene.cast.source(pages=policy)
    await scene.at("02:00").firing("One", **on("warning")).pages(dan, by="email")


async def test_a_path_edited_in_flight_changes_nothing_of_the_climb(scene, policy, ana, ben):
    await scene.cast.level(policy, [ben], 60)
    await scene.cast.source(pages=policy)

    async def edit():
        cal = await scene.cast.person("Cal", "sms")
        any_alert = {"rule_type": "json_path", "json_path": "$.commonLabels.alertname", "operator": "is_set"}
        await scene.cast.path(policy, ([cal], 1), rules=[any_alert])

    await (
        scene.at("02:00").firing("One").pages(ana)
        .at("02:01").then(edit)
        .at("03:00").pages(ben)
        .quiet_until("09:00")
    )  # fmt: skip


# ---------------------------------------------------------------- acknowledgements that end


async def test_an_acknowledgement_is_over_after_the_time_of_its_urgency(scene, policy, ana):
    high, _ = await urgent(scene, policy)
    await scene.cast.urgency("High", retrigger_timeout_minutes=10)
    await (
        scene.at("02:00").firing("Down", **on("critical")).pages(ana)
        .at("02:05").acknowledged(ana)
        .quiet_until("02:14")
        .at("02:15").pages(ana).status("triggered").says("alert.acknowledgement_over", times=1)
        .acknowledged(ana)
        .at("02:20").snoozed(60, ana)
        .quiet_until("03:19")
        .at("03:20").pages(ana).resolved_by(ana)
        .quiet_until("09:00")
    )  # fmt: skip


async def hold(scene, **minutes):
    """Let the installation, the urgency, the source and the path say how long an acknowledgement holds."""
    if "installation" in minutes:
        said = minutes["installation"]
        await scene.configure.set_acknowledge_minutes(said, by=SYSTEM, now=scene.clock())
    if "urgency" in minutes:
        await scene.cast.urgency("High", retrigger_timeout_minutes=minutes["urgency"])


@pytest.mark.parametrize(
    ("said", "over"),
    [
        ({"installation": 10}, "02:10"),
        ({"installation": 10, "urgency": 20}, "02:20"),
        ({"installation": 10, "urgency": -1}, None),
        ({"urgency": 20, "source": 30}, "02:30"),
        ({"urgency": 20, "source": 30, "path": 40}, "02:40"),
        ({"installation": 10, "urgency": 20, "source": 30, "path": -1}, None),
        ({}, None),
    ],
)
async def test_the_nearest_word_on_acknowledgements_counts(scene, ana, said, over):
    policy = await scene.cast.policy(([ana], 60))
    await hold(scene, **said)
    default = (await scene.db.fetch("SELECT id FROM escalation_paths"))[0]["id"]
    edit = edits.PathEdit(settings={"retrigger_timeout_minutes": said.get("path")})
    await scene.configure.update_path(default, edit, by=SYSTEM, now=scene.clock())
    await scene.cast.source(pages=policy, settings={"retrigger_timeout_minutes": said.get("source")})
    story = scene.at("02:00").firing("Down").pages(ana).acknowledged(ana)
    await (story.at(over).pages(ana).acknowledged(ana) if over else story.quiet_until("23:59"))


async def test_a_second_acknowledgement_before_the_time_is_over_does_not_lengthen_it(scene, policy, ana, ben):
    await urgent(scene, policy)
    await scene.cast.urgency("High", retrigger_timeout_minutes=10)
    await (
        scene.at("02:00").firing("Down", **on("critical")).pages(ana).acknowledged(ana)
        .at("02:05").acknowledged(ben)
        .at("02:10").pages(ana)
    )  # fmt: skip


# ---------------------------------------------------------------- what is refused


def is_(value, path="$.commonLabels.severity"):
    """A rule that one label has one value."""
    return {"rule_type": "json_path", "json_path": path, "operator": "is", "value": value}


HOURS = {"start_day": "monday", "start_time": "09:00", "end_day": "monday", "end_time": "17:00"}
TUESDAY = {
    "rule_type": "deferral_window",
    "time_zone": "Etc/UTC",
    "time_blocks": [{"tuesday": True, "all_day": True}],
}
ALWAYS = {"rule_type": "deferral_window", "time_zone": "Etc/UTC",
          "time_blocks": [{**WEEK, "saturday": True, "sunday": True, "all_day": True}]}  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"rules": [{"rule_type": "moon_phase"}]}, "rules[0].rule_type"),
        ({"rules": [{"rule_type": "related_incidents", "operator": "is_set"}]}, "rules[0].rule_type"),
        ({"rules": ["text"]}, "rules[0].rule_type"),
        ({"rules": "text"}, "rules"),
        ({"rules": [{"rule_type": "alert_urgency", "urgency_ids": []}]}, "rules[0].urgency_ids"),
        ({"rules": [{"rule_type": "alert_urgency", "urgency_ids": ["x"]}]}, "rules[0].urgency_ids"),
        ({"rules": [{"rule_type": "alert_urgency", "urgency_ids": [NOBODY]}]}, "rules[0].urgency_ids"),
        ({"rules": [{"rule_type": "service", "service_ids": [NOBODY]}]}, "rules[0].service_ids"),
        ({"rules": [{"rule_type": "working_hour", "within_working_hour": "yes"}]}, "rules[0].within_working_hour"),
        ({"rules": [{"rule_type": "working_hour", "within_working_hour": True}]}, "rules[0]"),
        ({"rules": [is_("x", "$.a[")]}, "rules[0].json_path"),
        ({"rules": [{**is_("x"), "operator": "resembles"}]}, "rules[0].operator"),
        ({"rules": [{**is_("x"), "value": None}]}, "rules[0].value"),
        ({"rules": [{**is_("x"), "values": [7]}]}, "rules[0].values"),
        ({"rules": [{**is_("("), "operator": "matches"}]}, "rules[0].value"),
        ({"rules": [{"rule_type": "field", "fieldable_id": NOBODY, "operator": "is_empty"}]}, "rules[0].fieldable_id"),
        ({"rules": [{"rule_type": "source", "operator": "contains", "values": ["x"]}]}, "rules[0].operator"),
        ({"rules": [{"rule_type": "source", "operator": "is", "values": []}]}, "rules[0].values"),
        ({"rules": [{**TUESDAY, "time_blocks": []}]}, "rules[0].time_blocks"),
        ({"rules": [{**TUESDAY, "time_blocks": [{"all_day": True}]}]}, "rules[0].time_blocks[0]"),
        ({"rules": [{**TUESDAY, "time_zone": "Mars/Olympus"}]}, "rules[0].time_zone"),
        ({"rules": [ALWAYS]}, "rules[0].time_blocks"),
        ({"rules": [{**TUESDAY, "time_blocks": [{"monday": True, "start_time": "09:00", "end_time": "09:00"}]}]},
         "rules[0].time_blocks[0].end_time"),
        ({"time_restrictions": [{**HOURS, "start_day": "caturday"}]}, "time_restrictions[0].start_day"),
        ({"time_restrictions": [{**HOURS, "end_time": "09:00"}]}, "time_restrictions[0].end_time"),
        ({"time_restrictions": [HOURS], "time_restriction_time_zone": "Mars/Olympus"}, "time_restriction_time_zone"),
        ({"match_mode": "sometimes"}, "match_mode"),
        ({"path_type": "sideways"}, "path_type"),
        ({"path_type": "deferral"}, "rules"),
        ({"path_type": "deferral", "rules": [TUESDAY], "after_deferral_behavior": "nap"}, "after_deferral_behavior"),
        ({"path_type": "deferral", "rules": [TUESDAY], "after_deferral_behavior": "execute_path"},
         "after_deferral_path_id"),
        ({"path_type": "deferral", "rules": [TUESDAY], "after_deferral_behavior": "execute_path",
          "after_deferral_path_id": NOBODY}, "after_deferral_path_id"),
        ({"retrigger_timeout_minutes": 0}, "retrigger_timeout_minutes"),
        ({"retrigger_timeout_minutes": True}, "retrigger_timeout_minutes"),
        # Rules that can never match.
        ({"rules": [is_("a"), is_("b")]}, "rules[1]"),
        ({"rules": [is_("a"), {**is_("a"), "operator": "is_not"}]}, "rules[1]"),
        ({"rules": [{"rule_type": "source", "operator": "is", "values": ["a"]},
                    {"rule_type": "source", "operator": "is_one_of", "values": ["b", "c"]}]}, "rules[1]"),
        ({"rules": [TUESDAY], "time_restrictions": [HOURS]}, "time_restrictions"),
    ],
)  # fmt: skip
async def test_a_path_that_cannot_be_meant_is_refused_by_field(scene, policy, settings, place):
    with pytest.raises(Invalid) as caught:
        await scene.cast.path(policy, **settings)
    assert caught.value.place == place
    assert caught.value.message


async def test_urgencies_and_hours_that_exclude_each_other_are_refused(scene, policy):
    high, medium = str(await scene.cast.urgency("High")), str(await scene.cast.urgency("Medium"))
    both = [{"rule_type": "alert_urgency", "urgency_ids": [one]} for one in (high, medium)]
    with pytest.raises(Invalid) as caught:
        await scene.cast.path(policy, rules=both)
    assert caught.value.place == "rules[1].urgency_ids"
    await scene.cast.path(policy, rules=both, match_mode="match-any-rule")
    await scene.cast.hours(policy, time_zone="Etc/UTC", days=["M"], start_time="09:00", end_time="17:00")
    inside_and_outside = [{"rule_type": "working_hour", "within_working_hour": one} for one in (True, False)]
    with pytest.raises(Invalid) as caught:
        await scene.cast.path(policy, rules=inside_and_outside)
    assert caught.value.place == "rules[1]"
    tuesday = [{**HOURS, "start_day": "tuesday", "end_day": "tuesday"}]
    with pytest.raises(Invalid) as caught:
        await scene.cast.path(policy, rules=inside_and_outside[:1], time_restrictions=tuesday)
    assert caught.value.place == "time_restrictions"


async def test_several_values_of_one_path_may_satisfy_rules_that_one_could_not(scene, policy, ben, ana):
    any_of_them = "$.alerts[*].labels.instance"
    await scene.cast.path(policy, ([ben], 60), rules=[is_("db-1", any_of_them), is_("db-2", any_of_them)])
    await scene.cast.source(pages=policy)
    await (
        scene.at("02:00").firing("One", "db-1").pages(ana).acknowledged(ana)
        .firing("Two", "db-1", "db-2").pages(ben)
    )  # fmt: skip


async def test_the_default_path_takes_no_conditions(scene, policy):
    default = (await scene.db.fetch("SELECT id FROM escalation_paths"))[0]["id"]
    for settings, place in (
        ({"rules": [is_("a")]}, "rules"),
        ({"time_restrictions": [HOURS]}, "time_restrictions"),
        ({"path_type": "deferral", "rules": [TUESDAY]}, "path_type"),
    ):
        with pytest.raises(Problems) as caught:
            edit = edits.PathEdit(settings=settings)
            await scene.configure.update_path(default, edit, by=SYSTEM, now=scene.clock())
        assert caught.value.place == place


async def test_what_became_unreadable_later_is_skipped_and_the_default_is_taken(scene, policy, ana, ben):
    path = await scene.cast.path(policy, ([ben], 60), rules=[is_("warning")])
    await scene.cast.source(pages=policy)
    for number, broken in enumerate((
        '{"rules": [{"rule_type": "json_path", "json_path": "$[", "operator": "is", "value": "warning"}]}',
        '{"rules": [{"rule_type": "alert_urgency", "urgency_ids": ["gone"]}]}',
        '{"rules": 7, "match_mode": 7}',
        '{"time_restrictions": [{"start_day": "monday"}], "rules": []}',
    )):  # fmt: skip
        sql = "UPDATE escalation_paths SET settings = $1 WHERE id = $2"
        await scene.db.run(sql, json.loads(broken), path)
        await scene.db.execute("bump_configuration")
        await scene.now.firing(f"Alert{number}", **on("warning")).pages(ana).resolved_by(ana)
