"""Whom an alert is for: annotation, receiver URL, route, default; and what becomes of typos."""

import json

import pytest

from support.captures import edited


@pytest.fixture
async def ana(scene):
    return await scene.cast.person("Ana", "sms")


@pytest.fixture
async def ben(scene):
    return await scene.cast.person("Ben", "sms")


@pytest.fixture
async def cal(scene):
    return await scene.cast.person("Cal", "sms")


def target(whom):
    named = getattr(whom, "target", whom)
    return {"type": named.type, "id": named.id}


def one(whom):
    return json.dumps({"notification_target": target(whom)})


def many(*whom):
    return json.dumps({"alerting_targets": [target(each) for each in whom]})


async def details(scene):
    alert = await scene.alert()
    return (await scene.db.fetch("SELECT * FROM alert_details WHERE alert_id = $1", alert["id"]))[0]


async def problems(scene):
    return [row["details"] for row in await scene.journal() if row["code"] == "routing.problem"]


# ---------------------------------------------------------------- the four stages


async def test_the_url_pages_a_person_and_no_policy(scene, ana):
    await (
        scene.at("02:00").firing("DiskFull", url=ana).pages(ana).status("triggered")
        .quiet_until("05:00")
    )  # fmt: skip
    assert (await details(scene))["targets"] == [target(ana)]


async def test_the_url_pages_a_team_through_its_policy(scene, ana, ben):
    team = await scene.cast.team(ana, ben, policy=await scene.cast.policy(([ana], 10)))
    await scene.at("02:00").firing("DiskFull", url=team).pages(ana).quiet_until("05:00")
    assert [str(i) for i in (await details(scene))["team_ids"]] == [team.id]


async def test_a_team_without_a_policy_is_everybody_in_it(scene, ana, ben):
    team = await scene.cast.team(ana, ben)
    await scene.at("02:00").firing("DiskFull", url=team).pages(ana, ben).quiet_until("05:00")


async def test_the_url_pages_a_policy_level_by_level(scene, ana, ben):
    policy = await scene.cast.policy(([ana], 10), ([ben], 10))
    await scene.at("02:00").firing("DiskFull", url=policy).pages(ana).at("02:10").pages(ben)


async def test_the_url_pages_a_service_through_its_policy_or_its_teams(scene, ana, ben):
    own = await scene.cast.service(policy=await scene.cast.policy(([ana], 10)))
    owned = await scene.cast.service(teams=(await scene.cast.team(ben),))
    await (
        scene.at("02:00").firing("A", url=own).pages(ana)
        .firing("B", url=owned).pages(ben)
        .quiet_until("05:00")
    )  # fmt: skip
    assert [str(i) for i in (await details(scene))["service_ids"]] == [owned.id]


async def test_the_annotation_pages_whom_it_names(scene, ana):
    await scene.at("02:00").firing("DiskFull", rootly=one(ana)).pages(ana).status("triggered")


async def test_the_annotation_of_one_member_counts_and_its_id_may_be_a_number(scene, ana):
    def annotate(document):
        document["alerts"][2]["annotations"]["rootly"] = json.dumps(
            {"notification_target": {"type": "User", "id": ana.id}}
        )

    await scene.at("02:30").posted(edited("multi_alert_group", annotate)).pages(ana)


async def test_several_targets_are_all_paged(scene, ana, ben):
    policy = await scene.cast.policy(([ana], 10))
    team = await scene.cast.team(ben)
    await (
        scene.at("02:00").firing("DiskFull", rootly=many(policy, team)).pages(ana, ben)
        .says("escalation.started", times=2)
        .quiet_until("05:00")
    )  # fmt: skip
    assert (await details(scene))["targets"] == [target(policy), target(team)]


async def test_a_person_named_by_several_targets_is_paged_once(scene, ana, ben):
    policy = await scene.cast.policy(([ana], 10))
    team = await scene.cast.team(ana, ben)
    await (
        scene.at("02:00")
        .firing("DiskFull", rootly=many(policy, team, ana))
        .pages(ana, ben)
        .quiet_until("05:00")
    )


async def test_members_with_different_annotations_page_everybody_once(scene, ana, ben):
    def annotate(document):
        for number, whom in ((0, ana), (1, ben), (2, ana)):
            document["alerts"][number]["annotations"]["rootly"] = one(whom)

    await scene.at("02:30").posted(edited("multi_alert_group", annotate)).pages(ana, ben)


async def test_a_new_member_that_names_somebody_new_pages_only_them(scene, ana, ben):
    def first(document):
        del document["alerts"][1:]
        document["alerts"][0]["annotations"]["rootly"] = one(ana)

    def second(document):
        document["alerts"][0]["annotations"]["rootly"] = one(ana)
        document["alerts"][1]["annotations"]["rootly"] = one(ben)

    await (
        scene.at("02:30").posted(edited("multi_alert_group", first)).pages(ana)
        .posted(edited("multi_alert_group", second)).pages(ben)
        .quiet_until("05:00")
    )  # fmt: skip


async def test_the_annotation_wins_over_the_url_and_says_so(scene, ana, ben):
    await scene.at("02:00").firing("DiskFull", url=ana, rootly=one(ben)).pages(ben).quiet_until("05:00")
    (said,) = await problems(scene)
    assert "annotation wins" in said


async def test_alerting_targets_win_over_notification_target_and_say_so(scene, ana, ben):
    both = json.dumps({"notification_target": target(ana), "alerting_targets": [target(ben)]})
    await scene.at("02:00").firing("DiskFull", rootly=both).pages(ben)
    (said,) = await problems(scene)
    assert "alerting_targets wins" in said


async def test_a_route_pages_by_label_and_leaves_the_others_open(scene, ana):
    source = await scene.cast.source()
    policy = await scene.cast.policy(([ana], 10))
    await scene.cast.route(source, ("$.commonLabels.severity", "critical", policy))
    await (
        scene.at("02:00").firing("A", labels={"severity": "critical"}).pages(ana).status("triggered")
        .firing("B", labels={"severity": "warning"}).status("open")
        .quiet_until("05:00")
    )  # fmt: skip
    assert (await scene.alert("B"))["unpaged"] is False


async def test_the_route_that_matched_is_shown(scene, ana):
    source = await scene.cast.source()
    await scene.cast.route(source, ("$.commonLabels.severity", "critical", ana.target))
    await scene.at("02:00").firing("A", labels={"severity": "critical"}).pages(ana)
    (matched,) = (await details(scene))["routing"]
    assert matched["targets"] == [target(ana)]


async def test_in_a_route_the_first_rule_wins_and_the_fallback_is_last(scene, ana, ben, cal):
    source = await scene.cast.source()
    await scene.cast.route(
        source,
        ("", "", cal.target),
        ("$.commonLabels.severity", "critical", ana.target),
        ("$.commonLabels.severity", "critical", ben.target),
    )
    await (
        scene.at("02:00").firing("A", labels={"severity": "critical"}).pages(ana)
        .firing("B", labels={"severity": "info"}).pages(cal)
    )  # fmt: skip


async def test_every_route_of_a_source_is_asked(scene, ana, ben):
    source = await scene.cast.source()
    await scene.cast.route(source, ("$.commonLabels.severity", "critical", ana.target))
    await scene.cast.route(source, ("$.commonLabels.team", "db", ben.target))
    await scene.at("02:00").firing("A", labels={"severity": "critical", "team": "db"}).pages(ana, ben)


async def test_the_url_wins_over_routes_and_routes_over_the_default(scene, ana, ben, cal):
    source = await scene.cast.source(pages=cal)
    await scene.cast.route(source, ("$.commonLabels.severity", "critical", ben.target))
    await (
        scene.at("02:00").firing("A", labels={"severity": "critical"}, url=ana).pages(ana)
        .firing("B", labels={"severity": "critical"}).pages(ben)
        .firing("C").pages(cal)
    )  # fmt: skip


async def test_without_any_target_an_alert_is_open_and_nobody_is_missed(scene):
    await scene.at("02:00").firing("DiskFull").status("open").quiet_until("05:00")
    assert (await scene.alert())["unpaged"] is False


# ---------------------------------------------------------------- typos

NOWHERE = "9f00e9f1-2f13-470e-a856-50ab5003f260"


@pytest.mark.parametrize(
    "url",
    [
        ("Robot", "1"), ("User", "999999"), ("Service", "not-a-uuid"), ("Service", NOWHERE), ("User", "<TYPE>"),
        ("EscalationPolicy", NOWHERE), ("Group", "x/../../y"), ("User", "9" * 40), ("Functionality", NOWHERE), ("", ""),
    ],
)  # fmt: skip
async def test_a_url_that_names_nothing_falls_through_and_says_why(scene, ana, url):
    await scene.cast.source(name="aa", pages=ana)
    body = edited("single_firing", lambda document: None)
    await scene.at("02:30").posted(body, url=url).pages(ana).status("triggered")
    assert len(await problems(scene)) == 1


async def test_a_url_that_names_nothing_and_nothing_behind_it_is_flagged(scene):
    body = edited("single_firing", lambda document: None)
    await scene.at("02:30").posted(body, url=("User", "999999")).status("open")
    assert (await scene.alert())["unpaged"]


@pytest.mark.parametrize("kind", ["user", "USER", " User "])
async def test_types_are_read_in_any_case(scene, ana, kind):
    body = edited("single_firing", lambda document: None)
    await scene.at("02:30").posted(body, url=(kind, f" {ana.id} ")).pages(ana)


async def test_team_is_another_word_for_group(scene, ana):
    team = await scene.cast.team(ana)
    body = edited("single_firing", lambda document: None)
    await scene.at("02:30").posted(body, url=("Team", team.id)).pages(ana)


@pytest.mark.parametrize(
    "text",
    [
        "{notification_target:", "[]", "7", '"null"', "null", '"{}"', "true", '{"notification_target": 7}',
        '{"notification_target": {"type": "User"}}', '{"notification_target": {"type": "User", "id": true}}',
        '{"notification_target": {"type": "User", "id": "999999"}}', '{"alerting_targets": {"type": "User"}}',
        '{"alerting_targets": [7, null, []]}', '{"notification_target": {"type": ["User"], "id": {}}}', "", "\ud800",
        "[" * 50_000, '{"notification_target": {"type": "User", "id": ' + "9" * 5_000 + "}}",
    ],
)  # fmt: skip
async def test_an_annotation_that_cannot_be_used_is_ignored_and_says_why(scene, ana, text):
    def annotate(document):
        document["commonAnnotations"] = document["alerts"][0]["annotations"] = {"rootly": text}

    await scene.at("02:30").posted(edited("single_firing", annotate), url=("User", str(ana.id))).pages(ana)
    assert await problems(scene)


async def test_of_a_partly_wrong_list_the_right_ones_are_paged(scene, ana):
    partly = json.dumps({"alerting_targets": [{"type": "User", "id": "999999"}, target(ana), 7]})
    await scene.at("02:00").firing("DiskFull", rootly=partly).pages(ana)
    assert len(await problems(scene)) == 2


async def test_an_annotation_that_is_already_decoded_is_read_too(scene, ana):
    await scene.at("02:00").firing("DiskFull", **{"rootly": None}).status("open")

    def decoded(document):
        document["rootly"] = {"notification_target": target(ana)}

    await scene.at("02:30").posted(edited("single_firing", decoded)).pages(ana)


async def test_an_annotation_can_declare_the_status(scene, ana):
    await (
        scene.at("02:00").firing("DiskFull", url=ana, rootly='{"alert_status": "open"}').status("open")
        .quiet_until("05:00")
    )  # fmt: skip


async def test_a_rule_cannot_page_the_whole_company(scene, ana):
    crowd = json.dumps(
        {"alerting_targets": [{"type": "User", "id": str(n)} for n in range(2000, 2060)] + [target(ana)]}
    )
    await scene.at("02:00").firing("DiskFull", rootly=crowd).status("open")
    assert any("only the first" in said for said in await problems(scene))


async def test_somebody_who_left_is_nobody(scene, ana, ben):
    await scene.db.run("UPDATE users SET active = false WHERE id = $1", ben.id)
    await scene.db.execute("bump_configuration")
    await scene.cast.source(name="aa", pages=ana)
    await scene.at("02:00").firing("DiskFull", rootly=one(ben)).pages(ana)
    assert len(await problems(scene)) == 1
