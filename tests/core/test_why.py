"""The sentence that says why: for each person, each level, and for nobody at all."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core.why import Case, Climbed, Paged, Proof, Said, Sent, Tried, why, why_not

START = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def clock(instant: datetime) -> str:
    return f"{instant:%H:%M:%S}"


def sms(state: str = "sent", *, said: str = "", proofs: tuple[Proof, ...] = ()) -> Sent:
    tried = Tried(started_at=at(0), ended_at=at(0.1), outcome=state, provider_id="SM1")
    tries = () if state in ("waiting", "canceled") else (tried,)
    return Sent(kind="sms", state=state, why=said, send_at=at(5), tries=tries, proofs=proofs)


def paged(name: str = "Ana", minute: float = 0, *, level: int = 1, cycle: int = 1, **more: object) -> Paged:
    known = {"plan": "Payments", "because": "on call in Primary", "messages": (sms(),), **more}
    return Paged(
        id=UUID(int=1), user_id={"Ana": 1, "Ben": 2}[name], name=name, at=at(minute), level=level, cycle=cycle,
        **known,  # type: ignore[arg-type]
    )  # fmt: skip


TAKEN = Said(at=at(11), code="alert.acknowledged", details="", by="Ben", user_id=2)
CASE = Case(
    status="acknowledged",
    routed="route Prod / Payments matched",
    pages=(paged(), paged("Ben", 10, level=2)),
    said=(TAKEN,),
    climbs=(Climbed(plan="Payments", levels=3, reached=2, phase="held", wake_at=None),),
)


def test_whoever_was_paged_is_named_with_the_rule_behind_it_and_who_took_it():
    assert why(CASE, clock).short == (
        "Ana and Ben were paged, first at 02:00:00, because route Prod / Payments matched. "
        "Ben acknowledged it at 02:11:00."
    )


def test_each_page_says_level_reason_channel_and_proof():
    proofs = (
        Proof(stage="accepted", at=at(0.1)),
        Proof(stage="delivered", at=at(0.2)),
        Proof(stage="seen", at=at(1)),
    )
    page = paged(messages=(sms(proofs=proofs),))
    assert why(replace(CASE, pages=(page,)), clock).lines[0].text == (
        "Ana was paged by level 1 of Payments at 02:00:00 (on call in Primary). "
        "SMS: accepted at 02:00:06 (id SM1), delivered 02:00:12, seen 02:01:00."
    )


def test_a_level_that_was_never_reached_says_who_came_before_it():
    assert (
        why(CASE, clock).lines[-1].text
        == "Level 3 of Payments was not paged: Ben acknowledged it at 02:11:00."
    )


def test_a_level_that_is_still_to_come_says_when():
    climb = Climbed(plan="Payments", levels=3, reached=1, phase="climbing", wake_at=at(10))
    case = replace(CASE, status="triggered", climbs=(climb,), said=())
    assert why(case, clock).lines[-1].text == "Levels 2 to 3 of Payments would follow from 02:10:00 on."


@pytest.mark.parametrize(
    ("state", "said", "text", "bad"),
    [
        ("refused", "no such number", "SMS: refused: no such number.", True),
        ("unknown", "no answer in 10 s", "SMS: nobody knows whether it arrived: no answer in 10 s.", True),
        (
            "canceled",
            "the alert no longer pages",
            "called off before it was sent (the alert no longer pages)",
            False,
        ),
        ("waiting", "throttled", "SMS: waits until 02:05:00 (throttled).", False),
    ],
)
def test_a_message_that_did_not_arrive_says_so(state, said, text, bad):
    line = why(replace(CASE, pages=(paged(messages=(sms(state, said=said),)),)), clock).lines[0]
    assert text in line.text
    assert line.bad is bad


def test_a_page_without_any_message_is_bad_news():
    line = why(replace(CASE, pages=(paged(messages=()),)), clock).lines[0]
    assert line.bad and "No message was made" in line.text


def test_a_later_round_says_so():
    assert (
        "level 1 of Payments, round 2 at" in why(replace(CASE, pages=(paged(cycle=2),)), clock).lines[0].text
    )


NOBODY = Case(status="open", routed="")


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ((), "Nobody was paged: no annotation, URL, route or default of its source names anybody."),
        (("routing.declared_open", "Recorded without paging."), "Nobody was paged: recorded without paging."),
        (("maintenance.muted", "Upgrade goes on."), "Nobody was paged: upgrade goes on."),
        (("escalation.unpaged", "Nobody was paged: P reached no one."), "reached no one"),
        (("routing.problem", "Target ignored: there is no User 7."), "there is no User 7"),
    ],
)
def test_where_nobody_was_paged_the_reason_is_the_sentence(said, text):
    entries = (Said(at=at(0), code=said[0], details=said[1]),) if said else ()
    assert text in why(replace(NOBODY, said=entries), clock).short


def test_a_skipped_level_stands_with_its_reason():
    skipped = Said(
        at=at(5), code="escalation.level_skipped", details="Level 2 of P: nobody is on call.", level=2
    )
    lines = why(replace(CASE, said=(skipped, TAKEN)), clock).lines
    assert any(line.bad and line.text == "02:05:00: Level 2 of P: nobody is on call." for line in lines)


def test_one_person_can_ask_for_themselves():
    assert why_not(CASE, 1, "Ana", clock).short == "Ana was paged once, first at 02:00:00."
    assert (
        "nothing that was reached (level 1 of Payments, level 2 of Payments) named Cy"
        in why_not(CASE, 3, "Cy", clock).short
    )
    assert why_not(NOBODY, 1, "Ana", clock).short.startswith(
        "Ana was not paged. Nobody was paged: no annotation"
    )
    quiet = Said(
        at=at(0), code="page.quiet_hours", details="Passed over Cy, who keeps quiet hours.", user_id=3
    )
    assert "quiet hours" in why_not(replace(CASE, said=(quiet,)), 3, "Cy", clock).short
