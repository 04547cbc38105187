"""Providers that call back late, twice or forged, or take a page and never answer; clocks that leap. The running program.

The doubles fail a test for a page too many; the ledger, exported as an operator would, says the same of the program.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from nightbell.testing.doubles import Hang, SmtpSink, Then
from nightbell.testing.slack_double import SlackDouble
from nightbell.testing.twilio_double import Handed, TwilioDouble
from support.household import Api, Json, settings_for
from support.leaping import Leaping
from support.paper import Paper
from support.programs import Background, Nightbell, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
HOURS = timedelta(hours=2)
ANA, BEN = "+447700900123", "+447700900124"


@pytest.fixture(scope="module")
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


@pytest.fixture(scope="module")
def mailbox(background: Background) -> Iterator[SmtpSink]:
    made = SmtpSink()
    background.do(made.start())
    yield made
    background.do(made.stop())


# ---------------------------------------------------------------- what providers say, and what they do not


class Exchange:
    """A running program, its telephone company, and its Slack."""

    def __init__(self, background: Background, program: Nightbell, twilio: TwilioDouble, slack: SlackDouble):
        self.background, self.program, self.twilio, self.slack = background, program, twilio, slack
        self.api = Api(program.url, program.owner())

    def person(self, name: str, **methods: str) -> Json:
        """Make a person who is paged by the first of these, and by mail where that fails."""
        person = self.api.add("/users", name=name, email=f"{name.lower()}@example.org", role="user")
        path = f"/users/{person['id']}"
        mail = self.api.list(f"{path}/notification_rules")
        for kind, address in methods.items():
            self.api.add(f"{path}/contact_methods", kind=kind, name=kind, address=address)
        for rule in mail:
            self.api.ask("DELETE", f"/notification_rules/{rule['id']}")
        return person

    def page(self, person: Json, summary: str) -> Json:
        """Make an alert that pages somebody."""
        target = {"notification_target_type": "User", "notification_target_id": person["id"]}
        return self.api.add("/alerts", summary=summary, **target)

    def text(self) -> Handed:
        """Return the next message that Twilio was handed."""
        return self.background.do(self.twilio.take(), within=20)

    def messages(self, alert: Json, kind: str) -> list[Json]:
        """Return the pages of an alert by one channel."""
        return self.api.list("/notifications", alert_id=alert["id"], kind=kind, purpose="page")

    def becomes(self, alert: Json, kind: str, state: str, *, within: float = 20) -> Json:
        """Wait until the only page by a channel is in a state, and return it."""

        def look() -> Json | None:
            found = self.messages(alert, kind)
            assert len(found) <= 1, f"paged twice: {found}"
            return found[0] if found and found[0]["state"] == state else None

        found = eventually(look, within=within, what=f"{kind} {state}")
        assert found is not None
        return found

    def called_back(self, text: Handed, *, signature: str | None = None, **said: str) -> int:
        """Report as Twilio does, and return the status of the answer."""
        fields = {"MessageSid": text.sid, **said}
        signed = self.twilio.sign(text.callback, fields) if signature is None else signature
        headers = {"X-Twilio-Signature": signed, "Content-Type": "application/x-www-form-urlencoded"}
        return httpx.post(text.callback, content=urlencode(fields), headers=headers, timeout=20).status_code

    def steps(self, message: Json, channel: str) -> list[str]:
        """Return the steps of a message once the ledger has it; the chain is checked."""
        return eventually(lambda: Paper(self.program).messages(channel).get(message["id"], []), within=30)


@pytest.fixture(scope="module")
def exchange(
    background: Background, mailbox: SmtpSink, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exchange]:
    twilio = TwilioDouble(lambda: datetime.now(UTC))
    slack = SlackDouble(U0ANA0001="ana@example.org")
    for double in (twilio, slack):
        background.do(double.__aenter__())
    ours = {f"twilio_{name}": value for name, value in twilio.settings.items()}
    ours |= {f"slack_{name}": value for name, value in slack.settings.items() if name != "app_token"}
    program = Nightbell(tmp_path_factory.mktemp("exchange"), settings=settings_for(mailbox) | ours)
    try:
        with program:
            yield Exchange(background, program, twilio, slack)
        for double in (twilio, slack):
            double.verify()
    finally:
        for double in (slack, twilio):
            background.do(double.__aexit__(RuntimeError, None, None))


def test_a_report_that_is_forged_changes_nothing_and_one_that_comes_twice_counts_once(
    exchange: Exchange,
) -> None:
    alert = exchange.page(exchange.person("Ana", sms=ANA), "forged and twice")
    text = exchange.text()
    exchange.becomes(alert, "sms", "sent")
    stolen = exchange.twilio.sign(text.callback, {"MessageSid": text.sid, "MessageStatus": "sent"})
    for signature in ("", "nonsense", stolen):
        assert exchange.called_back(text, signature=signature, MessageStatus="failed") == 403
    [message] = exchange.messages(alert, "sms")
    assert exchange.steps(message, "sms") == ["queued", "handed_over", "accepted"]
    for status in ("delivered", "sent", "delivered", "delivered"):
        assert exchange.called_back(text, MessageStatus=status) == 204
    eventually(lambda: "delivered" in exchange.steps(message, "sms"), what="the delivery on paper")
    assert exchange.steps(message, "sms").count("delivered") == 1
    exchange.becomes(alert, "sms", "sent")
    assert exchange.messages(alert, "email") == []
    refused = exchange.api.list("/deliveries", status_code=403)
    assert len(refused) >= 3, "what was forged is not in the log"


def test_a_report_that_comes_late_is_believed_after_a_kill_and_after_the_end(exchange: Exchange) -> None:
    ben = exchange.person("Ben", sms=BEN)
    alert = exchange.page(ben, "late")
    text = exchange.text()
    exchange.becomes(alert, "sms", "sent")
    exchange.program.kill()
    with pytest.raises(httpx.TransportError):
        exchange.called_back(text, MessageStatus="delivered")
    exchange.program.start()
    # Somebody else was quicker; the report is of a page that nobody waits for any more.
    exchange.api.ask("POST", f"/alerts/{alert['id']}/resolve", {})
    resolved = exchange.text()
    assert "Resolved" in resolved.body
    assert exchange.called_back(text, MessageStatus="delivered") == 204
    [message] = exchange.messages(alert, "sms")
    eventually(lambda: "delivered" in exchange.steps(message, "sms"), what="the delivery on paper")
    assert exchange.called_back(text, MessageStatus="failed") == 204
    # What it said last is on paper too, and says nothing against what arrived.
    exchange.becomes(alert, "sms", "sent")
    assert exchange.messages(alert, "email") == []


def last_step(exchange: Exchange, message: Json, channel: str, step: str) -> None:
    """Wait until the ledger ends like this for a message."""
    eventually(lambda: exchange.steps(message, channel)[-1] == step, within=20, what=f"{channel}: {step}")


def test_a_page_that_was_taken_without_an_answer_is_found_and_not_sent_again(exchange: Exchange) -> None:
    """Twilio and Slack take it and hang: doubt is written down, mail is used at once, and the poll finds it."""
    cleo, dan = exchange.person("Cleo", sms="+447700900125"), exchange.person("Dan", slack="U0ANA0001")
    exchange.twilio.will(Then(trouble=Hang()))
    exchange.slack.will(Then(trouble=Hang()))
    by_text, by_slack = exchange.page(cleo, "no answer, text"), exchange.page(dan, "no answer, Slack")
    text, post = exchange.text(), exchange.background.do(exchange.slack.take(), within=20)
    text.status = "delivered"
    for alert, kind in ((by_text, "sms"), (by_slack, "slack")):
        exchange.becomes(alert, "email", "sent", within=30)
        message = exchange.becomes(alert, kind, "sent", within=60)
        steps = exchange.steps(message, kind)
        assert steps[:3] == ["queued", "handed_over", "unknown"]
        assert steps.count("handed_over") == 1
        last_step(exchange, message, kind, "delivered")
    assert "no answer, text" in text.body
    assert "no answer, Slack" in post.text
    assert exchange.program.metric("nightbell_audit_findings") == 0


@pytest.mark.parametrize("taken", [True, False], ids=["Twilio had it", "Twilio never had it"])
def test_a_page_that_was_on_its_way_when_the_program_was_killed_comes_once(
    exchange: Exchange, taken: bool
) -> None:
    """Twilio is asked before anything is sent again, because it takes no key that makes two attempts one message."""
    number = "+447700900126" if taken else "+447700900127"
    person = exchange.person("Gil" if taken else "Hal", sms=number)
    before = exchange.twilio.asked
    exchange.twilio.will(Then(trouble=Hang()) if taken else Hang())
    alert = exchange.page(person, f"killed on the way to {number}")
    eventually(lambda: exchange.twilio.asked > before, what="the request")
    exchange.program.kill()
    exchange.program.start()
    exchange.becomes(alert, "email", "sent", within=30)
    message = exchange.becomes(alert, "sms", "sent", within=60)
    text = exchange.text()
    assert text.to == number
    # The ledger has it a moment later.
    times = 1 if taken else 2
    eventually(
        lambda: exchange.steps(message, "sms").count("handed_over") == times,
        what=f"{times} attempts on paper",
    )


# ---------------------------------------------------------------- clocks


@pytest.fixture
def leaping(mailbox: SmtpSink, tmp_path: Path) -> Iterator[Leaping]:
    with Leaping(tmp_path, **settings_for(mailbox)) as program:
        yield program


def ladder(api: Api) -> tuple[Json, Json]:
    """Make two people, ten minutes apart on a policy, and return an alert that pages them and the policy."""
    policy = api.add("/escalation_policies", name="Eve, then Fay")
    for position, name in enumerate(("Eve", "Fay"), 1):
        person = api.add("/users", name=name, email=f"{name.lower()}@example.org", role="user")
        api.add(
            f"/escalation_policies/{policy['id']}/escalation_levels",
            position=position,
            delay=10,
            notification_target_params=[{"type": "user", "id": person["id"]}],
        )
    return raised(api, policy, "leaps forward"), policy


def raised(api: Api, policy: Json, summary: str) -> Json:
    """Make an alert that climbs a policy."""
    target = {"notification_target_type": "EscalationPolicy", "notification_target_id": policy["id"]}
    return api.add("/alerts", summary=summary, **target)


def test_a_clock_that_leaps_two_hours_either_way_pages_each_level_once(
    mailbox: SmtpSink, leaping: Leaping
) -> None:
    api = Api(leaping.url, leaping.owner())
    alert, policy = ladder(api)

    def told(about: Json) -> list[str]:
        about_it = [m for m in list(mailbox.mails) if m.message["X-Nightbell-Alert"] == about["short_id"]]
        return [m.recipients[0].partition("@")[0] for m in about_it]

    def logged(event: str, times: int) -> bool:
        return leaping.said().count(f'"{event}"') >= times

    eventually(lambda: told(alert) == ["eve"], what="the first level")
    leaping.leap(HOURS)
    eventually(lambda: told(alert) == ["eve", "fay"], within=20, what="the second, due while nobody looked")
    eventually(lambda: logged("clock.away", 1), what="a note of the leap")
    api.ask("POST", f"/alerts/{alert['id']}/resolve", {})

    late = raised(api, policy, "leaps back")
    eventually(lambda: told(late) == ["eve"], what="the first level")
    leaping.leap(timedelta())
    eventually(lambda: logged("clock.set_back", 1), what="a note of the leap")
    assert told(late) == ["eve"]
    # Two hours too early for what was written down; ten minutes and a little are enough all the same.
    leaping.leap(timedelta(minutes=11))
    eventually(lambda: told(late) == ["eve", "fay"], within=20, what="the second level, no two hours later")
    leaping.leap(timedelta(minutes=5))
    eventually(lambda: logged("clock.set_back", 2), what="a note of the leap")
    assert told(late) == ["eve", "fay"]
    page = [m for m in list(mailbox.mails) if m.message["X-Nightbell-Alert"] == alert["short_id"]]
    assert len([m for m in page if "resolved" not in str(m.message["Subject"]).lower()]) == 2
    assert leaping.metric("nightbell_audit_findings") == 0
