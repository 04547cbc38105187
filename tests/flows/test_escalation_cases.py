"""Cases of escalations: the given ones, told to the engine, and what the telling itself must notice."""

import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from nightbell.testing.escalation_cases import begins_at, engines_of, problems
from nightbell.testing.scenario import Scene
from nightbell.testing.staged import Staged

FILE = Path(__file__).parents[1] / "testdata" / "escalation_cases.json"
CASES = json.loads(FILE.read_bytes())["cases"]
#: Our own variants of them: other delays, strategies and orders.
OWN_CASES = json.loads(FILE.with_name("escalation_own_cases.json").read_bytes())["cases"]
#: Parts that do not exist yet; a case goes from here when its part does.
NEEDS: dict[str, list[str]] = {}

ANA_BEN = {"ana": [{"channel": "sms"}], "ben": [{"channel": "sms"}]}
ANA = {"targets": ["ana"], "then_wait_min": 10}
BEN = {"targets": ["ben"], "then_wait_min": 10}


@pytest.fixture
def told(db):
    async def tell(case, nodes=1):
        @asynccontextmanager
        async def opened(_case):
            scene = Scene(db, nodes=max(nodes, engines_of(case)), start=begins_at(case))
            await scene.start()
            yield Staged(scene)
            await scene.stop()

        return await problems(case, opened)

    return tell


def case(*lines, users=ANA_BEN, steps=(ANA, BEN), **setup):
    return {
        "setup": {"users": users, "policy": {"steps": list(steps), "repeat": 0}, **setup},
        "timeline": [{"t_min": minute, **line} for minute, line in lines],
    }


@pytest.mark.parametrize("given", CASES, ids=lambda one: one["id"])
async def test_the_engine_does_what_a_case_says(told, given):
    assert await told(given) == NEEDS.get(given["id"], [])


@pytest.mark.parametrize("given", OWN_CASES, ids=lambda one: one["id"])
async def test_the_engine_does_what_a_variant_says(told, given):
    assert await told(given) == []


FIRES = (0, {"do": "alert fires", "expect": ["ana:sms"]})
QUIET = {"expect_none": True}

OWN = {
    "a level with nobody is left at once": case(
        (0, {"do": "alert fires", "expect": ["ben:sms"]}), steps=({"targets": [], "then_wait_min": 30}, BEN)
    ),
    "a person on call is paged": case(FIRES, (9, QUIET), steps=({"targets": ["schedule: ana"], "then_wait_min": 10},)),
    "an answer that never came is followed by the next method": case(
        (0, {"do": "alert fires"}),
        (0, {"do": "the sms provider times out once", "expect": ["ana:sms", "ana:voice"]}),
        (4, QUIET),
        users={"ana": [{"channel": "sms"}, {"channel": "voice", "after_min": 5}]},
        steps=(ANA,),
    ),
    "a number that is refused is followed by the next method": case(
        (0, {"do": "sms provider rejects the number; alert fires", "expect": ["ana:sms", "ana:voice"]}),
        users={"ana": [{"channel": "sms"}, {"channel": "voice", "after_min": 5}]},
        steps=(ANA,),
    ),
    "a second peer pages nobody": case(FIRES, (1, {"do": "the second Alertmanager sends the same firing", **QUIET})),
    "a late firing of a stale peer is over before it pages": case(
        FIRES,
        (2, {"do": "source resolves"}),
        (2.5, {"do": "the stale peer sends firing", **QUIET}),
        (3, {"do": "the stale peer sends resolved", **QUIET}),
        (20, {"expect_none": True, "state": "resolved"}),
    ),
    "the timer of an episode that ended does nothing in the next": case(
        FIRES,
        (4, {"do": "source resolves"}),
        (6, {"do": "same alert fires again", "expect": ["ana:sms"]}),
        (10, {"do": "the old timer fires", **QUIET}),
        (16, {"expect": ["ben:sms"]}),
    ),
    "a step edited in flight pages as it was": case(FIRES, (1, {"do": "step 2 now pages ana"}), (10, {"expect": ["ben:sms"]})),
    "whoever it is handed to is paged": case(FIRES, (1, {"do": "ana reassigns it to ben", "expect": ["ben:sms"]}), (30, QUIET)),
    "whoever left is not paged": case(FIRES, (1, {"do": "ben leaves"}), (30, QUIET)),
    "a level waits for its hours": case(
        (0, {"do": "alert fires", **QUIET}),
        (59, QUIET),
        (60, {"expect": ["ana:sms"]}),
        steps=({"targets": ["continue if time 03:00-05:00"], "then_wait_min": 0}, ANA),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("nodes", [1, 2])
async def test_other_sentences_are_understood(told, name, nodes):
    assert await told(OWN[name], nodes) == []


WRONG = [
    (case((0, {"do": "alert fires", "expect": ["ben:sms"]})), "expected ben:sms, heard ana:sms"),
    (case((0, {"do": "alert fires", "expect": ["ana:sms", "ana:sms"]})), "expected ana:sms, heard ana:sms"),
    (case(FIRES, (10, QUIET)), "expected nothing, heard ben:sms"),
    (case((0, {"do": "alert fires"}), (10, {"expect": ["ben:sms"]})), "nobody expected ana:sms"),
    (case((0, {"do": "alert fires", "expect": ["ana:sms"], "exactly": 2})), "2 times"),
    (case((0, {"do": "alert fires", "expect": ["ana:sms"], "at_least": 2, "at_most": 3})), "2 to 3 times"),
    (case((0, {"do": "alert fires", "expect_some": ["ana:sms about s2"]})), "at least once"),
    (case((0, {"do": "alert fires", "expect_not": ["ana:sms"]})), "was not to be heard"),
    (case((0, {"do": "alert fires", "state": "resolved"})), "the alert is triggered"),
    (case((0, {"do": "alert fires", "expect_log": {"acknowledged": 1}})), "0 acknowledged, not 1"),
    (case((0, {"do": "alert fires", "expect_state": "2 alerts triggered"})), "1 alerts are triggered"),
    (case((0, {"do": "alert fires", "expect_error": "no"})), "expected the refusal 'no'"),
    (case(FIRES, (1, {"do": "source resolves"}), (2, {"do": "ana acknowledges"})), "was refused"),
    (case((0, {"do": "the moon rises"})), "sentence not understood: the moon rises"),
    *[
        (case((0, {"do": "alert fires"}), (1, {"do": text})), f"sentence not understood: {text}")
        for text in (
            "both engines burst",
            "both engines pick up their coats and die",
            "kill -9 nobody",
            "ana acknowledges in five minutes",
            "the other peer forgets the alert",
            "the service is moved to the moon",
            "step 2 is admired",
        )
    ],
    (case((0, {"do": "the service is switched to another policy"})), "which other policy?"),
    (case((0, {"do": "one of the replicas dies"}), replicas=1), "needs another engine"),
    (
        case((0, {}), users={"ana": [{"channel": "sms", "when": "at night"}]}),
        "sentence not understood: when in the rule",
    ),
    (case((0, {}), steps=(ANA | {"then_wait_min": 0.5},)), "sentence not understood: a wait of 0.5 min"),
    (case((0, {"do": "zoe acknowledges"})), "sentence not understood: who is zoe?"),
    (case((0, {"expect_magic": True})), "sentence not understood: expect_magic"),
    (case((0, {}), weather="fine"), "sentence not understood: weather"),
    (case((0, {}), steps=({"targets": ["a*b"]},)), "sentence not understood"),
    (case((0, {"do": "zoe replies '1a'"})), "sentence not understood: who is zoe?"),
]


@pytest.mark.parametrize(("given", "said"), WRONG, ids=[said for _, said in WRONG])
async def test_what_is_wrong_is_said(told, given, said):
    assert any(said in problem for problem in await told(given))
