"""Asks over HTTP and answers with a value: what the engine is handed, since it may not know the network."""

from collections.abc import Mapping

from nightbell.core.exchange import Answered, Ask, Unanswered
from nightbell.net.http import Blocked, Http, MaybeSent, NotSent


def asking(http: Http) -> Ask:
    """Return a way to ask by this client."""

    async def ask(method: str, url: str, *, body: bytes, headers: Mapping[str, str]) -> Answered | Unanswered:
        try:
            answer = await http.ask(method, url, body=body, headers=headers)
        except Blocked as error:
            return Unanswered(why=str(error), blocked=True)
        except NotSent as error:
            return Unanswered(why=str(error))
        except MaybeSent as error:
            return Unanswered(why=str(error), doubtful=True)
        return Answered(status=answer.status, headers=answer.headers, body=answer.body)

    return ask
