"""Throttles, and what people want of notifications, over the API."""

import pytest

NIGHT = {"blocks": [{"days": ["M", "T"], "start_time": "22:00", "end_time": "07:00"}], "audible": True}


async def test_a_throttle_is_made_changed_listed_and_dropped(call):
    made = await call("POST", "/v1/throttles", {"kind": "email", "most": 1, "seconds": 60}, status=201)
    key = made["data"]["id"]
    assert made["data"]["attributes"]["scope"] == "method"
    changed = await call("PUT", f"/v1/throttles/{key}", {"most": 3})
    assert changed["data"]["attributes"]["most"] == 3
    assert [one["id"] for one in (await call("GET", "/v1/throttles?filter[kind]=email"))["data"]] == [key]
    await call("DELETE", f"/v1/throttles/{key}")
    await call("GET", f"/v1/throttles/{key}", status=404)


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"kind": "pigeon", "most": 1, "seconds": 60}, "kind"),
        ({"kind": "email", "most": 0, "seconds": 60}, "most"),
        ({"kind": "email", "most": 1, "seconds": 86401}, "seconds"),
        ({"kind": "email", "most": 1, "seconds": 60, "scope": "galaxy"}, "scope"),
        ({"kind": "email"}, "most"),
    ],
)
async def test_a_throttle_that_means_nothing_is_refused_with_its_place(call, sent, place):
    answer = await call("POST", "/v1/throttles", sent, status=422)
    assert any(place in error["source"]["pointer"] for error in answer["errors"])


async def test_two_throttles_that_count_the_same_are_one_too_many(call):
    sent = {"kind": "email", "most": 1, "seconds": 60}
    await call("POST", "/v1/throttles", sent, status=201)
    await call("POST", "/v1/throttles", {**sent, "most": 2}, status=422)


async def test_only_operators_set_throttles(call):
    await call("POST", "/v1/throttles", {"kind": "email", "most": 1, "seconds": 60}, by="bo", status=403)


async def test_people_say_what_they_want_of_notifications(call, people):
    bo = people["bo"][0]
    sent = {
        "quiet_hours": NIGHT,
        "status_updates": "resolved",
        "shift_notice_hours": [24, 1],
        "handoff_notices": False,
    }
    said = (await call("PUT", f"/v1/users/{bo}", sent, by="bo"))["data"]["attributes"]
    assert {name: said[name] for name in sent} == sent
    emptied = await call("PUT", f"/v1/users/{bo}", {"quiet_hours": {}}, by="bo")
    assert emptied["data"]["attributes"]["quiet_hours"] == {}


@pytest.mark.parametrize(
    "sent",
    [
        {"quiet_hours": {"blocks": [{"days": ["X"], "start_time": "22:00", "end_time": "07:00"}]}},
        {"quiet_hours": {"blocks": [{"days": list("MTWRFUS"), "all_day": True}]}},
        {"quiet_hours": {"blocks": [{"days": ["M"], "start_time": "25:00", "end_time": "07:00"}]}},
        {"status_updates": "some"},
        {"shift_notice_hours": [0]},
        {"shift_notice_hours": [1, 1]},
        {"shift_notice_hours": [169]},
    ],
)
async def test_wishes_that_mean_nothing_are_refused(call, people, sent):
    await call("PUT", f"/v1/users/{people['bo'][0]}", sent, by="bo", status=422)
