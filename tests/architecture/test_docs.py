"""What the documents must name, and that their links lead somewhere."""

import ast
import re
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nightbell import settings
from nightbell.channels import outgoing, webhook
from nightbell.core.providers import PROVIDERS
from nightbell.telemetry import metrics
from nightbell.web.snippets import snippets
from support.sources import PACKAGE, ROOT, sources

DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_OUTSIDE = ("https://", "http://", "mailto:")


def prose(page: Path) -> str:
    """Return a page without its code, in which brackets mean something else."""
    return _CODE.sub("", _FENCE.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """Return what one can link to inside a page."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> Iterator[str]:
    """Yield the links of a page that lead nowhere."""
    for link in _LINK.findall(prose(page)):
        if link.startswith(_OUTSIDE):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or ROOT not in (target, *target.parents):
            yield link
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced code of a page in one language, as it would be copied."""
    found = re.findall(
        rf"^( *)```{language}\n(.*?)^ *```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return [textwrap.dedent(code) for _, code in found]


@pytest.mark.parametrize(
    ("name", "base", "target", "secret"),
    [
        ("README.md", "http://127.0.0.1:8080", "User/1001", "<the secret from the Configure page>"),
        ("docs/first-page.md", "http://127.0.0.1:8080", "User/1001", "<secret>"),
        ("docs/connect-alertmanager.md", "https://nightbell.example.org", "", "<secret>"),
    ],
)
def test_the_receiver_to_copy_is_the_one_that_the_pages_show(
    name: str, base: str, target: str, secret: str
) -> None:
    assert snippets(base, secret, target).alertmanager in blocks(ROOT / name, "yaml")


@pytest.mark.parametrize(
    ("page", "signature"), [("channels.md", webhook.signature), ("webhooks.md", outgoing.signature)]
)
def test_the_example_that_checks_a_signature_believes_ours_and_no_other(
    page: str, signature: Callable[[str, bytes, datetime], str]
) -> None:
    names: dict[str, Any] = {}
    [example] = blocks(DOCS / page, "python")
    exec(compile(example, page, "exec"), names)
    genuine, now = names["genuine"], datetime.now(UTC)
    header = signature("s3cret", b"{}", now)
    assert genuine("s3cret", header, b"{}")
    assert not genuine("s3cret", header, b"{ }")
    assert not genuine("other", header, b"{}")
    assert not genuine("s3cret", signature("s3cret", b"{}", now - timedelta(hours=1)), b"{}")
    assert not genuine("s3cret", "", b"{}")


def exposed() -> dict[str, set[str]]:
    """Return the labels of each of our metrics, by the name Prometheus sees."""
    found = {}
    for collector, names in metrics.REGISTRY._collector_to_names.items():
        ours = [name for name in names if name.startswith("nightbell_")]
        if ours:
            base = min(ours, key=len)
            total = f"{base}_total"
            found[total if total in ours else base] = set(getattr(collector, "_labelnames", ()))
    return found


def rows(page: Path) -> dict[str, str]:
    """Return the rows of a page's tables, by the code they begin with."""
    text = page.read_text(encoding="utf-8")
    return {found[1]: found[0] for found in re.finditer(r"^\| `([^`]+)` \|.*$", text, re.MULTILINE)}


def test_every_metric_is_documented_with_its_labels() -> None:
    told = {name: row for name, row in rows(DOCS / "metrics.md").items() if name.startswith("nightbell_")}
    assert told.keys() == exposed().keys()
    assert [
        (n, label) for n, labels in exposed().items() for label in labels if f"`{label}`" not in told[n]
    ] == []


def noted() -> set[str]:
    """Return every journal code: the first argument of each `note`, whichever way it turns out, and those in SQL."""
    calls = [
        node
        for source in sources(PACKAGE / "core")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "note"
    ]
    texts = [
        leaf.value
        for call in calls
        if call.args
        for leaf in results(call.args[0])
        if isinstance(leaf, ast.Constant)
    ]
    assert len(texts) >= len(calls), "a journal code must be written out where it is used"
    said_in_sql = re.findall(
        r"INSERT INTO alert_events .*?(?:VALUES \(\$1, \$2|SELECT id, alert_id), '\w+', '\w+', '([\w.]+)'",
        "\n".join(path.read_text(encoding="utf-8") for path in (PACKAGE / "store" / "sql").glob("*.sql")),
        re.DOTALL,
    )
    return {str(text) for text in texts} | set(said_in_sql)


def results(node: ast.expr) -> list[ast.expr]:
    """Return what an expression may turn out to be."""
    return [*results(node.body), *results(node.orelse)] if isinstance(node, ast.IfExp) else [node]


def test_every_journal_code_is_documented_and_no_other() -> None:
    assert rows(DOCS / "journal.md").keys() == noted()


def variables() -> list[str]:
    """Return the environment variable of every setting."""
    tables = ("smtp", "providers")
    own = [field.name for field in msgspec.structs.fields(settings.Settings) if field.name not in tables]
    mail = [f"smtp_{field.name}" for field in msgspec.structs.fields(settings.Smtp)]
    services = [f"{one.name}_{field.name}" for one in PROVIDERS.values() for field in one.fields]
    return [f"{settings.PREFIX}{name.upper()}" for name in (*own, *mail, *services)]


def test_every_setting_is_documented() -> None:
    page = DOCS / "settings.md"
    if not page.exists():
        pytest.skip("there is no docs/settings.md yet")
    text = page.read_text(encoding="utf-8")
    assert [name for name in variables() if not re.search(rf"\b{name}\b", text)] == []


def test_documents_name_no_setting_that_does_not_exist() -> None:
    known = {*variables(), f"{settings.PREFIX}CONFIG", f"{settings.PREFIX}REQUIRE_REAL"}
    named = {
        (page.name, name)
        for page in PAGES
        for name in re.findall(r"\bNIGHTBELL_[A-Z_]+\b", page.read_text("utf-8"))
    }
    assert {pair for pair in named if pair[1] not in known} == set()


def test_every_decision_is_listed_once_and_in_order() -> None:
    records = sorted(path.name for path in (DOCS / "adr").glob("[0-9]*.md"))
    assert re.findall(r"\((\d{4}-[\w-]+\.md)\)", (DOCS / "adr" / "README.md").read_text("utf-8")) == records
    assert [name[:4] for name in records] == [f"{n:04d}" for n in range(1, len(records) + 1)]


def test_every_decision_says_what_was_refused() -> None:
    for path in sorted((DOCS / "adr").glob("[0-9]*.md")):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}. "), path.name
        missing = [
            part
            for part in ("Context", "Decision", "Consequences", "Refused")
            if f"\n## {part}\n" not in text
        ]
        assert missing == [], path.name


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    pages = [path.name for path in DOCS.glob("*.md") if path.name != "README.md"]
    assert [name for name in pages if f"({name})" not in index] == []


def dependencies() -> set[str]:
    """Return what pyproject.toml names, to run and to work on it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = re.findall(r"^(?:dependencies|dev) = \[(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    return {name for listed in lists for name in re.findall(r'^\s*"([A-Za-z0-9._-]+)', listed, re.MULTILINE)}


def test_every_dependency_says_what_it_is_for() -> None:
    text = (DOCS / "dependencies.md").read_text(encoding="utf-8")
    assert [
        name
        for name in sorted(dependencies())
        if not re.search(rf"^\| {re.escape(name)}\b", text, re.MULTILINE)
    ] == []
