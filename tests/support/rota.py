"""Schedules made the way a lead without scripts makes them: by sending the forms of the pages."""

import re
from collections.abc import Mapping

import httpx

from support.browser import ANA, PASSWORD, Home


class Lead:
    """Somebody logged in who sends forms."""

    def __init__(self, home: Home, email: str = ANA) -> None:
        self.home = home
        self.http = httpx.Client(base_url=home.url(""), timeout=20)
        sent = {"email": email, "password": PASSWORD, "next": "/"}
        assert self.http.post("/login", data=sent).status_code == 303

    def send(self, path: str, fields: Mapping[str, object]) -> httpx.Response:
        """Send a form with a good token."""
        token = re.search(r'name="csrf" value="([^"]+)"', self.http.get("/me").text)
        assert token
        return self.http.post(path, data={"csrf": token[1], **fields})

    def made(self, path: str, fields: dict[str, object]) -> str:
        """Send a form that must be taken and return where it leads."""
        answer = self.send(path, fields)
        assert answer.status_code == 303, re.findall(r'class="error"[^>]*>([^<]*)', answer.text)
        return answer.headers["location"]

    def schedule(self, name: str, *people: str, **rotation: object) -> str:
        """Make a schedule in which these people take turns, weekly, and return its path."""
        path = self.made("/schedules", {"name": name, "time_zone": "Europe/Lisbon"}).removesuffix(
            "/rotations/new"
        )
        fields = {
            "name": f"{name} weekly", "type": "weekly", "handoff_time": "09:00", "handoff_day": "M", "week": "all",
            "time_zone": "Europe/Lisbon", "hours": "all_day", "member": [f"user/{one}" for one in people],
        }  # fmt: skip
        self.made(f"{path}/rotations", {**fields, **rotation})
        return path

    def policy(self, name: str, **levels: object) -> str:
        """Make a policy from the fields of its form and return its path."""
        path = self.made("/policies", {"name": name})
        self.made(path, {"name": name, "repeat_count": "0", **levels})
        return path
