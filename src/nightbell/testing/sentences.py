"""What happens in a case of escalations, said in a sentence: "ana acknowledges", "300 alerts on s1", "restart".

Rule 1: a sentence is understood whole or not at all; `Unclear` names the one that was not.
"""

import re
from collections.abc import Awaitable, Callable, Sequence

from nightbell.testing.world import Alert, Needs, Policy, Rule, World

_UNITS = {"s": 1 / 60, "sec": 1 / 60, "min": 1.0, "h": 60.0, "hour": 60.0, "d": 1440.0, "day": 1440.0}
_SPAN = r"(?P<n>\d+(?:\.\d+)?) ?(?P<unit>min|m|hour|h|sec|s|day|d)(?:ute|ond)?s?"
_ON = r"(?: (?:on|for) (?P<service>(?!the same)\w+)| on the same service)?"
_WHO = r"(?P<who>\w+)"
_NUMBERS = {"a": 1, "an": 1, "one": 1, "once": 1, "twice": 2, "two": 2, "three": 3, "four": 4, "five": 5}
#: What no part of the program can do yet, and the words that ask for it.
_UNBUILT: tuple[tuple[str, str], ...] = ()


class Unclear(Exception):
    """A sentence that was not understood."""


def needed(text: str) -> str:
    """Return which part that is not there a sentence or an expectation asks for; "" for none."""
    return next((part for words, part in _UNBUILT if re.search(words, text, re.IGNORECASE)), "")


class Teller:
    """Lets happen what sentences say; remembers which alert is spoken of."""

    def __init__(self, world: World, people: Sequence[str], heartbeats: Sequence[str] = ()) -> None:
        self.world = world
        self._beats = {name.lower(): name for name in heartbeats}
        self._people = {name.lower(): name for name in people}
        #: What a service's policy can be switched to, where the case says.
        self.other_policy: Policy | None = None
        self.alert = Alert("s1", "alert 1")
        #: Hosts each alert fires on.
        self._hosts: dict[Alert, int] = {}

    async def tell(self, text: str) -> None:
        """Let everything happen that a line says.

        Raises: Unclear, Needs, Rejected.
        """
        for sentence in re.split(r"\s*;\s*|,? then ", text.strip().rstrip(".")):
            await self._tell(sentence)

    async def _tell(self, sentence: str) -> None:
        part = needed(sentence)
        if part:
            raise Needs(part)
        for pattern, act in _SENTENCES:
            found = pattern.fullmatch(sentence)
            if found:
                await act(self, {k: v for k, v in found.groupdict().items() if v is not None})
                return
        raise Unclear(sentence)

    def _known(self, said: dict[str, str]) -> str | None:
        """Return the person a sentence names; None for "someone".

        Raises: Unclear for a stranger.
        """
        name = said.get("who", "someone").lower()
        if name in ("someone", "somebody"):
            return None
        if name not in self._people:
            raise Unclear(f"who is {name}?")
        return self._people[name]

    def _new(self, service: str) -> Alert:
        return Alert(service, f"alert {sum(a.service == service for a in self._hosts) + 1}")

    async def _fires(self, alert: Alert, hosts: int = 1) -> None:
        """Let an alert fire on so many hosts in all."""
        self.alert = alert
        before = self._hosts.get(alert, 0)
        self._hosts[alert] = max(hosts, before)
        await self.world.fire(alert, [f"host-{n}" for n in range(before + 1, hosts + 1)])

    # ------------------------------------------------------------ what senders do

    async def fires(self, said: dict[str, str]) -> None:
        """A new alert, or the one that was named."""
        service = said.get("service", self.alert.service)
        named = said.get("key") or (f"alert {said['name']}" if "name" in said else "")
        alert = Alert(service, named) if named else self._new(service)
        await self._fires(alert)

    async def fires_again(self, said: dict[str, str]) -> None:
        """The alert spoken of last."""
        await self._fires(self.alert)

    async def many_fire(self, said: dict[str, str]) -> None:
        """So many new alerts, none settled before the last has come."""
        service = said.get("service", self.alert.service)
        many = _number(said["n"])
        alerts = []
        for _ in range(many):
            self.alert = self._new(service)
            self._hosts[self.alert] = 1
            alerts.append(self.alert)
        await self.world.fire_together(alerts)

    async def join(self, said: dict[str, str]) -> None:
        """So many members of one group, beside those it has."""
        await self._fires(self.alert, self._hosts.get(self.alert, 0) + _number(said["n"]))

    async def several_fire(self, said: dict[str, str]) -> None:
        """Several alerts, each by its name."""
        for name in _listed(said["names"]):
            await self.fires({**said, "name": name})

    async def source_resolves(self, said: dict[str, str]) -> None:
        """The source says that it is over."""
        if "key" in said:
            self.alert = Alert(said.get("service", self.alert.service), said["key"])
        self._hosts[self.alert] = 0
        await self.world.resolve(self.alert)

    # ------------------------------------------------------------ what people do

    async def acts(self, said: dict[str, str]) -> None:
        """Somebody acknowledges, resolves or escalates."""
        what = next(word for word in ("acknowledge", "resolve", "escalate") if word in said)
        level = int(said["level"]) if "level" in said else None
        await self.world.act(what, self._meant(said), self._known(said), level=level)

    def _meant(self, said: dict[str, str]) -> Alert:
        return Alert(self.alert.service, f"alert {said['name']}") if "name" in said else self.alert

    async def all_acknowledge(self, _said: dict[str, str]) -> None:
        """Everybody of the case acknowledges, one after another."""
        for name in self._people.values():
            await self.world.act("acknowledge", self.alert, name)

    async def snoozes(self, said: dict[str, str]) -> None:
        """Somebody snoozes."""
        who = self._known({"who": said["by"]} if "by" in said else said)
        await self.world.act("snooze", self.alert, who, minutes=_minutes(said))

    async def replies(self, said: dict[str, str]) -> None:
        """Somebody answers the last message they got: "a" takes its alert, "aa" all that it named."""
        await self.world.reply(self._somebody(said), said["code"])

    async def escalate_together(self, said: dict[str, str]) -> None:
        """Several requests that answer one page."""
        named = [self._known({"who": said[word]}) for word in ("who", "other") if word in said]
        await self.world.escalate_together(self.alert, len(named) or _number(said["n"]))

    async def acknowledge_together(self, said: dict[str, str]) -> None:
        """Two acknowledgements at one moment: of two people, or of one by two ways."""
        first = self._known(said) if "who" in said else next(iter(self._people.values()), None)
        second = self._known({"who": said["other"]}) if "other" in said else first
        await self.world.acknowledge_together(self.alert, [first, second])

    async def adds_rules(self, said: dict[str, str]) -> None:
        """A person gets more rules: "sms@0 and voice@30"."""
        rules = [Rule(c, float(n)) for c, n in re.findall(r"(\w+)@(\d+)", said["rules"])]
        named = said.get("who", said.get("whom", next(iter(self._people)) if len(self._people) == 1 else ""))
        name = self._known({"who": named}) if named else None
        if name is None:
            raise Unclear("who gets the rules?")
        await self.world.add_rules(name, rules)

    async def sent_again(self, said: dict[str, str]) -> None:
        """Another peer of the source says once more what was said when it fired."""
        if self._hosts.get(self.alert) is None:
            await self._fires(self.alert)
        await self.world.repeat_firing(self.alert)

    async def sent_by_both(self, said: dict[str, str]) -> None:
        """Both peers of the source say that it fires."""
        if self._hosts.get(self.alert):
            await self.world.repeat_firing(self.alert)
        await self.sent_again(said)

    async def resolved_by_both(self, said: dict[str, str]) -> None:
        """Both peers of the source say that it is over."""
        await self.resolved_again(said)
        await self.resolved_again(said)

    async def resolved_again(self, said: dict[str, str]) -> None:
        """Another peer of the source says that it is over, whether it is or not."""
        self._hosts[self.alert] = 0
        await self.world.resolve(self.alert)

    async def reassigns(self, said: dict[str, str]) -> None:
        """Somebody hands it to another person."""
        other = self._known({"who": said["other"]})
        if other is None:
            raise Unclear("to whom?")
        await self.world.reassign(self.alert, other)

    async def asks(self, said: dict[str, str]) -> None:
        """Somebody asks others to help."""
        others = [self._known({"who": name}) for name in _listed(said["others"])]
        if None in others:
            raise Unclear("whom?")
        await self.world.ask(self.alert, self._known(said), [name for name in others if name])

    async def starts_over(self, said: dict[str, str]) -> None:
        """Somebody starts the escalation over."""
        await self.world.start_over(self.alert, self._known(said))

    async def changes_step(self, said: dict[str, str]) -> None:
        """A step of the policy pages somebody else from now on."""
        other = self._known({"who": said.get("other") or said["whom"]})
        number = int(said.get("n") or said["which"])
        await self.world.change_step(self.alert.service, number, [other] if other else [])

    async def changes_wait(self, said: dict[str, str]) -> None:
        """A step of the policy is followed after another time from now on."""
        await self.world.change_wait(self.alert.service, int(said["n"]), int(said["minutes"]))

    async def removes_step(self, said: dict[str, str]) -> None:
        """A step of the policy is there no more."""
        await self.world.remove_step(self.alert.service, int(said.get("n") or said["which"]))

    async def switches_policy(self, said: dict[str, str]) -> None:
        """The service has another policy from now on, which the case must say."""
        if self.other_policy is None:
            raise Unclear("which other policy?")
        await self.world.switch_policy(said.get("service", self.alert.service), self.other_policy)

    async def loses_channel(self, said: dict[str, str]) -> None:
        """A person has a channel no more."""
        await self.world.lose_channel(self._somebody(said), said["channel"])

    async def beats(self, said: dict[str, str]) -> None:
        """Some heartbeats, or all of them, beat."""
        for name in self._named_beats(said.get("beats", "all")):
            await self.world.beat(name)

    async def heartbeat_switched(self, said: dict[str, str]) -> None:
        """Some heartbeats are paused, go on, or are deleted."""
        for name in self._named_beats(said["beats"]):
            if "delete" in said:
                await self.world.delete_heartbeat(name)
            else:
                await self.world.switch_heartbeat(name, enabled="on" in said)

    def _named_beats(self, text: str) -> list[str]:
        """Return the heartbeats that a sentence names.

        Raises: Unclear for one that the case does not have.
        """
        if text.lower() in ("all", "both", "every", "it", "the") and self._beats:
            return list(self._beats.values())
        names = re.split(r"\s*,\s*|\s+and\s+", text.lower())
        if strange := [name for name in names if name not in self._beats]:
            raise Unclear(f"which heartbeat is {strange[0]}?")
        return [self._beats[name] for name in names]

    async def leaves(self, said: dict[str, str]) -> None:
        """A person is here no more, or a heartbeat of that name is off."""
        if said.get("who", "").lower() in self._beats:
            off = {"beats": said["who"]} | ({"delete": ""} if "deleted" in said else {})
            await self.heartbeat_switched(off)
            return
        await self.world.leave(self._somebody(said))

    def _somebody(self, said: dict[str, str]) -> str:
        """Return the person a sentence names, who must be one of the case."""
        name = self._known(said)
        if name is None:
            raise Unclear("who?")
        return name

    async def provider_answers(self, said: dict[str, str]) -> None:
        """From now on a provider answers so."""
        how = next(h for h in ("fails", "refuses", "times_out", "accepts") if h in said)
        channel = said.get("channel", "")
        times = _number(said["times"]) if "times" in said else _ALWAYS
        await self.world.answer(how.replace("_", " "), "" if channel.lower() == "the" else channel, times)

    async def provider_reports(self, said: dict[str, str]) -> None:
        """A provider says what became of the last message it took."""
        channel = said.get("channel", "")
        arrived = said["stage"].lower() == "delivered"
        await self.world.report("" if channel.lower() == "the" else channel.lower(), arrived=arrived)

    async def nothing(self, said: dict[str, str]) -> None:
        """What a sentence says of this is so by construction: every engine looks at whatever is due, at each instant."""

    async def maintenance_begins(self, said: dict[str, str]) -> None:
        """Planned work begins."""
        minutes = _minutes(said) if "n" in said else _UNTIL_ENDED
        await self.world.maintain(said.get("service", self.alert.service), minutes)

    async def maintenance_ends(self, said: dict[str, str]) -> None:
        """Planned work ends before its time."""
        await self.world.end_maintenance()

    # ------------------------------------------------------------ what machines do

    async def stops(self, said: dict[str, str]) -> None:
        """The engine stops in good order."""
        await self.world.sleep()

    async def dies(self, said: dict[str, str]) -> None:
        """Every process is killed."""
        await self.world.kill()

    async def one_dies(self, said: dict[str, str]) -> None:
        """One of the processes is killed; the others go on."""
        await self.world.lose_node()

    async def starts(self, said: dict[str, str]) -> None:
        """The engine starts anew, wherever it had stopped."""
        await self.world.wake()

    async def restarts(self, said: dict[str, str]) -> None:
        """The engine dies and is started again."""
        await self.world.kill()
        await self.world.wake()


def _number(text: str) -> int:
    return _NUMBERS.get(text.lower()) or int(text)


def _listed(text: str) -> list[str]:
    """Return the names of "ana, ben and cal"."""
    return re.split(r" ?, ?(?:and )?| and ", text)


def _minutes(said: dict[str, str]) -> float:
    return float(said["n"]) * _UNITS.get(said["unit"], 1.0)


_ALWAYS = 1_000
#: Work of which a case does not say how long it takes, in minutes.
_UNTIL_ENDED = 60 * 1440.0
_SOMEBODY = rf"(?:{_WHO} (?:also )?)"
#: By which way somebody acted; every way ends in the same act.
_BY = (
    r"(?: (?:by|via|from|on|in|through|with) (?:the |an? |her |his |their )?(?:sms|text|phone|voice|call|slack|telegram|teams"
    r"|e-?mail|web|app|ui|link|button|api|chat|push)(?: (?:message|reply|page|ui|app|button|link|call))?)?(?: again| too| as well)?"
)
_ENGINE = r"(?:the )?(?:engine|program|server|process|worker|nightbell)"
_ENGINES = r"(?:all|both|the|both of the|all of the) (?:engines|nodes|replicas|instances|workers|processes)"
_ONE_OF = r"(?:(?:one|the first|the second|one of the(?: two| three)?|one of two|the other) (?:engine|node|replica|instance|worker|process)(?:e?s)?|(?:engine|node|replica|instance|worker) (?:\d|[a-z]))"
_PEER = r"(?:the )?(?:(?:other|second|2nd|first|1st|stale|ha) )*(?:alertmanager|peer|replica)(?: \w)?(?: of the (?:ha )?(?:pair|cluster))?"
_PEERS = r"(?:(?:both|the two) (?:ha )?(?:alertmanagers|peers|replicas)(?: of the (?:ha )?(?:pair|cluster))?|\w+ and \w+ both)"
_SAYS = r"(?:sends?|delivers?|posts?|repeats?)"
_FIRING = r"(?:it|(?:the |an? )?(?:same |late |stale )*(?:firing|alert|group|notification|webhook|payload))(?! (?:as )?resolved)"
_LATER = r"(?: (?:again|too|as well|late|later|twice|once more|at once|at the same time|for the same group|(?:with)?in the same second|after the (?:first|other)|(?:\d+ ?(?:s|sec|seconds?|min|minutes?)|an? (?:second|minute)|(?:a few )?(?:seconds|minutes)) later))*"
_PAGED_NOW = r"(?:now )?(?:pages|notifies|targets|becomes|is changed to|is changed to page|is now) (?P<other>\w+)(?: instead.*)?"
_IT = r"(?: (?:it|again|the alert|this alert|alert (?P<name>\w+)))?"
_BEATS = r"(?:(?:the )?(?:heartbeats?|monitors?) )?(?P<beats>\w+(?:(?:, | and )\w+)*?)(?: (?:heartbeats?|monitors?))?"
_HEARTBEATS = r"(?:the )?(?:heartbeats?|monitors?) (?P<beats>\w+(?:(?:, | and )\w+)*?)"
_PROVIDER = r"(?:the )?(?:(?P<channel>\w+) )?provider"
_GRAMMAR: tuple[tuple[str, Callable[[Teller, dict[str, str]], Awaitable[None]]], ...] = (
    (rf"(?:an?|the|one|1|another|a new|(?:a |the )?(?:first|second|third|fourth|fifth)|a different) (?:new )?alert(?: fires| arrives)?{_ON}", Teller.fires),
    (rf"alert(?: (?P<name>\w+))? (?:fires|arrives){_ON}", Teller.fires),
    (rf"fire (?:key=)?(?P<key>\S+){_ON}(?: again)?", Teller.fires),
    (rf"key=(?P<key>\S+) fires{_ON}(?: again)?", Teller.fires),
    (rf"alerts (?P<names>\w+(?:(?:, and |, | and )\w+)+) (?:fire|arrive){_ON}", Teller.several_fire),
    (r"(?:the )?same alert (?:fires|arrives|is sent)(?: again)?|(?:the )?alert (?:fires|is sent) again|(?:the )?alert (?:is still firing|keeps firing|is repeated|repeats)|(?:the )?(?:source|alertmanager) (?:repeats|re-?sends) (?:it|the (?:same )?alert)", Teller.fires_again),
    (r"(?P<n>\d+|an?|one|two|three|four|five)(?: more| new)? (?:alert|member|host|instance)s?(?:(?:(?: fires?| arrives?| joins?)? in| joins?) the(?: same)? group| joins?)", Teller.join),
    (rf"(?P<n>\d+|two|three|four|five)(?: more| new)? alerts(?: fire| arrive)?{_ON}(?: before the next send| at once| together| at the same (?:time|moment)| in the same (?:second|minute))?", Teller.many_fire),
    (r"(?:the )?(?:source|alertmanager|alert) (?:resolves?(?: at the source)?|sends resolved|says (?:that )?it is over|says resolved|is resolved by (?:the|its) source)(?: it| the alert)?", Teller.source_resolves),
    (rf"resolve (?:key=)?(?P<key>\S+){_ON}", Teller.source_resolves),
    (rf"{_SOMEBODY}(?P<acknowledge>acknowledges|acks|clicks acknowledge|presses acknowledge){_IT}{_BY}", Teller.acts),
    (rf"{_SOMEBODY}(?P<resolve>resolves|closes|clicks resolve|presses resolve){_IT}{_BY}", Teller.acts),
    (rf"{_SOMEBODY}(?P<escalate>escalates|clicks escalate|presses escalate){_IT}{_BY}", Teller.acts),
    (r"(?:the )?alert(?: (?P<name>\w+))? is (?:(?P<acknowledge>acked|acknowledged)|(?P<resolve>resolved|closed)|(?P<escalate>escalated))(?: by (?P<who>\w+))?", Teller.acts),
    (r"(?:both|all|everybody|everyone|all of them)(?: of them)? (?:acknowledges?|acks?)(?: it| the alert)?", Teller.all_acknowledge),
    (rf"{_SOMEBODY}(?:un-?acknowledges|un-?acks|(?:withdraws|takes back) (?:the|her|his|their) (?:acknowledge?ment|ack)){_IT}", Teller.starts_over),
    (rf"{_SOMEBODY}?(?:un-?snoozes?|un-?silences?|ends the (?:snooze|silence)){_IT}|(?:the )?(?:snooze|silence) is (?:cancell?ed|ended|lifted)", Teller.starts_over),
    (rf"{_WHO} (?:replies|answers|texts) '(?:<code>|\d+)(?P<code>aa?)'", Teller.replies),
    (rf"{_SOMEBODY}(?P<escalate>escalates|clicks escalate)(?: it| the alert)?(?: directly| straight)? to (?:step|level) (?P<level>\d+)", Teller.acts),
    (rf"{_SOMEBODY}(?:asks|calls in|adds)(?: the)?(?: responders?)? (?P<others>\w+(?:(?:, and |, | and )\w+)*)(?: (?:to help|for help|as (?:an? )?(?:additional )?responders?))", Teller.asks),
    (rf"(?P<others>\w+(?:(?:, and |, | and )\w+)*) (?:is|are) (?:added as (?:an? )?(?:additional )?responders?|asked (?:to|for) help)(?: by {_WHO})?", Teller.asks),
    (rf"{_SOMEBODY}adds (?:the )?responders? (?P<others>\w+(?:(?:, and |, | and )\w+)*)", Teller.asks),
    (rf"{_SOMEBODY}(?:starts (?:it|the escalation|the alert) over|restarts (?:it|the escalation)(?: with the (?:current|new|edited) policy)?)", Teller.starts_over),
    (rf"{_SOMEBODY}?(?:snoozes?|silences?)(?: it| the alert)?(?: for)? {_SPAN}", Teller.snoozes),
    (rf"(?:the )?alert is (?:snoozed|silenced)(?: by {_WHO})? for {_SPAN}(?: by (?P<by>\w+))?", Teller.snoozes),
    (r"(?P<n>two|three|\d+) (?:people )?(?:press(?: on)? )?escalate(?: requests)?(?: that)?(?: refer to| on| for| from)? the same (?:page )?(?:notification|page|message)", Teller.escalate_together),
    (rf"{_WHO} and (?P<other>\w+) (?:both )?(?:click|press|hit) escalate (?:(?:on|for|from) the same (?:page )?(?:notification|page|message)|at once|at the same (?:time|moment)|in the same second)", Teller.escalate_together),
    (rf"(?:{_WHO} )?ack(?:s|nowledges?)?(?: it| the alert)? (?:by|on|via|from) .+ and (?:(?:by|on|via|from) )?.+(?: (?:with)?in the same second| at once| at the same (?:time|moment))", Teller.acknowledge_together),
    (rf"{_WHO} (?:acknowledges|acks)(?: it| the alert)? twice(?: in the same second| at once| at the same (?:time|moment))?", Teller.acknowledge_together),
    (rf"{_WHO} and (?P<other>\w+) (?:both )?ack(?:nowledge)?(?: it)?(?: (?:with)?in the same second| at once| at the same (?:time|moment))?", Teller.acknowledge_together),
    (rf"(?:{_WHO} adds|adds?) (?:the |an? )?(?:new )?(?:personal )?rules? (?P<rules>\w+@\d+(?:(?:,| and|, and) \w+@\d+)*)(?: for (?P<whom>\w+))?", Teller.adds_rules),
    (rf"(?P<both>{_PEERS}) {_SAYS} {_FIRING}{_LATER}|(?P<twice>(?:the )?alert (?:fires|arrives),? (?:sent |delivered )?(?:by|from|through|via) both (?:alertmanagers|peers|replicas))(?: of the (?:ha )?(?:pair|cluster))?{_LATER}", Teller.sent_by_both),
    (rf"{_PEER} {_SAYS} {_FIRING}{_LATER}", Teller.sent_again),
    (rf"{_PEERS} {_SAYS} (?:the )?(?:(?:same )?resolved?|(?:it|(?:the )?alert) (?:as )?resolved){_LATER}", Teller.resolved_by_both),
    (rf"{_PEER} {_SAYS} (?:the )?(?:(?:same )?resolved?|(?:it|(?:the )?alert) (?:as )?resolved){_LATER}", Teller.resolved_again),
    (rf"(?:the )?(?:same )?(?:webhook|payload|notification|delivery|group|firing) (?:arrives|is delivered|is sent)(?: again| twice| once more| from {_PEER}){_LATER}", Teller.sent_again),
    (rf"{_WHO} (?:re-?assigns|hands)(?: it| the alert)?(?: over)? to (?P<other>\w+)", Teller.reassigns),
    (rf"(?:the )?alert is (?:re-?assigned|handed(?: over)?) to (?P<other>\w+)(?: by {_WHO})?", Teller.reassigns),
    (rf"(?:(?:the )?policy is (?:edited|changed)(?::|,? so that) )?step (?P<n>\d+)(?: of the policy)? {_PAGED_NOW}", Teller.changes_step),
    (r"(?:the )?targets? of step (?P<n>\d+) (?:is|are) changed to (?P<other>\w+)|step (?P<which>\d+)'s targets? (?:is|are) changed to (?P<whom>\w+)", Teller.changes_step),
    (r"(?:(?:the )?policy is (?:edited|changed)(?::|,? so that) )?(?:the delay of )?step (?P<n>\d+)(?: of the policy)? (?:now waits|waits|is changed to|is now|becomes) (?P<minutes>\d+) min(?:utes)?", Teller.changes_wait),
    (r"(?:(?:the )?policy is (?:edited|changed): )?step (?P<n>\d+)(?: of the policy)? is (?:deleted|removed)(?: from the policy)?|(?:delete|remove)s? step (?P<which>\d+)", Teller.removes_step),
    (rf"{_WHO} is replaced by (?P<other>\w+) (?:on|in) step (?P<n>\d+)(?: of the policy)?", Teller.changes_step),
    (r"(?:the )?(?:service(?: (?P<service>\w+))?(?:'s policy)?) is (?:moved|switched|changed|reassigned|set) to (?:the |an? )?(?:other|second|new|another) policy", Teller.switches_policy),
    (rf"{_WHO}'s (?P<channel>\w+)(?: contact method| number| device)? is (?:removed|deleted|disabled)", Teller.loses_channel),
    (rf"{_WHO} (?:removes|deletes|disables) (?:the |her |his |their )?(?P<channel>\w+)(?: contact method| number| device)?", Teller.loses_channel),
    (rf"{_BEATS} (?:beats?|pings?|is heard|are heard|sends? a (?:beat|ping|heartbeat))(?: again)?", Teller.beats),
    (rf"{_HEARTBEATS} (?:is|are) (?:(?P<delete>deleted|removed)|(?P<on>enabled|resumed|switched on)|disabled|paused|switched off)(?: again)?", Teller.heartbeat_switched),
    (rf"{_WHO} (?:is (?P<deleted>deleted)|is deactivated|is disabled|is paused|leaves(?: the company)?)", Teller.leaves),
    (rf"{_PROVIDER} (?:(?P<fails>is down|fails|errors|returns (?:5\d\d|429|an error)|answers (?:with )?(?:5\d\d|429)|is unavailable)|(?P<refuses>rejects(?: it| the number| the message)?|refuses(?: it| the number| the message)?)|(?P<times_out>times out|hangs|does not answer|accepts (?:it |the message )?(?:but|and) (?:times out|never answers|does not answer|the answer is lost|its answer is lost))|(?P<accepts>is back|recovers|works(?: again)?|is up(?: again)?))(?: (?:the first )?(?P<times>once|twice|\w+) ?(?:times|attempts|tries)?)?", Teller.provider_answers),
    (r"(?:the )?(?:(?P<channel>\w+) )?(?:provider|carrier|callback) (?:says|reports)(?: (?:it|the message|the sms|the call))?(?: as| that it (?:is|was))? '?(?P<stage>failed|undelivered|not delivered|delivered)'?", Teller.provider_reports),
    (r"(?:the )?(?:both|two|all|\d+) (?:engines|replicas|nodes|instances|workers) (?:both )?(?:look|tick|run|process|work|pick|claim|wake|see|handle|try|poll|execute|race|evaluate|are running|are up|share)\b(?: (?!.*\b(?:dies?|crash(?:es)?|kills?|killed|stops?|down|restarts?)\b).*)?", Teller.nothing),
    (r"(?:an? |the )?(?:(?:same|old|stale|late|leftover|duplicate|previous|outdated|escalation|step) )+(?:timer|task|job)s?(?: (?:of|from|for) [\w ]+?)? (?:fires?|runs?|arrives?|wakes?|comes?|is (?:delivered|executed|run)|are (?:delivered|executed|run))(?: again| twice| late| too| now| once more)*", Teller.nothing),
    (r"nothing(?: happens| more happens| is done)?|nobody (?:acknowledges|answers|reacts|acts|does anything)|time passes", Teller.nothing),
    (r"(?:the )?(?:ack(?:nowledge?ment)?(?: timeout)?|snooze|silence) (?:times out|expires|runs out|elapses|passes)", Teller.nothing),
    (rf"(?:the )?service(?: (?P<service>\w+))? (?:enters|is put in(?:to)?|goes into) maintenance(?: mode)?(?: for {_SPAN})?", Teller.maintenance_begins),
    (rf"(?:the )?(?:planned )?maintenance(?: window)?(?: (?:of|on|for) (?:service )?(?P<service>\w+))? (?:starts|begins)(?: for {_SPAN})?", Teller.maintenance_begins),
    (r"(?:the )?(?:planned )?maintenance(?: window| mode)? (?:is ended|ends|is over|is cancell?ed|is finished|is switched off)(?: early)?|(?:the )?service(?: \w+)? (?:leaves|comes out of|is taken out of) maintenance(?: mode)?", Teller.maintenance_ends),
    (rf"(?:{_ENGINE}|{_ENGINES}) (?:stops?|(?:is|are) stopped|goe?s? down|(?:is|are) down|shuts? down)", Teller.stops),
    (rf"(?:{_ENGINE}|{_ENGINES}) (?:starts?|(?:is|are) started|comes? back(?: up)?|(?:is|are) (?:back )?up|(?:is|are) back)(?: again)?", Teller.starts),
    (rf"(?:{_ONE_OF} (?:is killed|is kill -9'?d|crashes|dies|goes away)|kill(?:ed)? -9 (?:of )?{_ONE_OF})(?: (?:during|in the middle of|while|before|after|between|right after) .*)?", Teller.one_dies),
    (rf"kill(?:ed)? -9(?: (?:of )?(?:{_ENGINE}|{_ENGINES}|everything))?(?: (?:during|in the middle of|while|before|after|between|right after) .*)?", Teller.dies),
    (rf"(?:{_ENGINE}|{_ENGINES}) (?:(?:is|are) killed|crash(?:es)?|dies?)(?: (?:during|in the middle of|while|before|after|between|right after) .*)?", Teller.dies),
    (r"(?:the )?(?:in-memory|queued) [\w/ ]+ (?:is|are) (?:lost|wiped|gone)|(?:the )?(?:broker|queue|cache)s? (?:is|are) (?:lost|wiped)|(?:the )?first (?:escalation )?(?:job|task|timer) is lost", Teller.restarts),
    (rf"(?:(?:{_ENGINE}|{_ENGINES}) )?(?:restart(?:s|ed)?|(?:is|are) restarted)", Teller.restarts),
)  # fmt: skip
_SENTENCES = tuple((re.compile(pattern, re.IGNORECASE), act) for pattern, act in _GRAMMAR)
#: A line that ends the process in the middle of what the line before it began.
DURING_A_CALL = re.compile(r"kill.*(?:provider|send|call)", re.IGNORECASE)
#: A line about engines that run at once.
SIDE_BY_SIDE = re.compile(
    r"\b(?:two|both|2|three|3|one of the|the other|the second) (?:engine|replica|node|instance|worker)s?",
    re.IGNORECASE,
)
#: A line that says how the messages of the line before it fare.
HOW_IT_FARES = re.compile(r"\bprovider (?!reports|says)(?!.*kill)", re.IGNORECASE)
BEFORE_ANYTHING = re.compile(
    r"(?:in-memory|queued|broker|queue|cache|first).* (?:lost|wiped|gone)$|engines? (?:stops?|goe?s? down|is stopped)",
    re.IGNORECASE,
)
