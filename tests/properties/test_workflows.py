"""What always holds of workflows: choosing among many says the same as asking each."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from nightbell.core.workflow import Workflow, matches
from nightbell.core.workflow_choice import Choice
from nightbell.core.workflow_conditions import LOGICS, OPERATORS, holds
from nightbell.core.workflow_params import problems, rules
from nightbell.engine.jsonpath import compiled, path_problem

TEXTS = ["critical", "warning", "web", "web-1", ""]
operators = st.sampled_from(OPERATORS)
logics = st.sampled_from(LOGICS)
texts = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3)
queries = st.sampled_from(["$.commonLabels.severity", "$.alerts[*].labels.instance", "$.tags", "$.none"])
params = st.fixed_dictionaries(
    {},
    optional={
        "alert_condition": logics,
        "alert_condition_source": operators,
        "alert_condition_status": operators,
        "alert_condition_label": operators,
        "alert_condition_payload": operators,
        "alert_condition_payload_use_regexp": st.booleans(),
        "alert_payload_conditions": st.fixed_dictionaries(
            {
                "logic": logics,
                "conditions": st.lists(
                    st.fixed_dictionaries(
                        {
                            "query": queries,
                            "operator": operators,
                            "values": texts,
                            "use_regexp": st.booleans(),
                        }
                    ),
                    max_size=3,
                ),
            }
        ),
    },
).flatmap(
    lambda chosen: st.fixed_dictionaries(
        {
            **{key: st.just(value) for key, value in chosen.items()},
            "alert_sources": st.just(["alertmanager"]),
            "alert_statuses": st.lists(st.sampled_from(["open", "triggered"]), min_size=1, max_size=2),
            "alert_labels": st.lists(st.sampled_from(["severity:critical", "team=web"]), min_size=1),
            "alert_query_payload": queries,
            "alert_payload": texts,
        }
    )
)
subjects = st.fixed_dictionaries(
    {
        "alert": st.fixed_dictionaries(
            {
                "source": st.sampled_from(["alertmanager", "grafana"]),
                "status": st.sampled_from(["open", "triggered", "resolved"]),
                "labels": st.dictionaries(st.sampled_from(["severity", "team"]), st.sampled_from(TEXTS)),
                "data": st.fixed_dictionaries(
                    {
                        "commonLabels": st.dictionaries(st.just("severity"), st.sampled_from(TEXTS)),
                        "tags": st.lists(st.sampled_from(TEXTS), max_size=3),
                        "alerts": st.lists(
                            st.sampled_from(TEXTS).map(lambda t: {"labels": {"instance": t}}), max_size=2
                        ),
                    }
                ),
            }
        )
    }
)


def made(number, sent):
    assert problems("alert", sent, {}, path_problem) == []
    return Workflow(
        id=UUID(int=number + 1),
        name=f"w{number}",
        slug=f"w{number}",
        kind="alert",
        triggers=("alert_created",),
        rules=rules("alert", sent, {}, compiled),
        position=number % 3,
        enabled=number % 7 != 6,
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(params, max_size=12), st.lists(subjects, min_size=1, max_size=4))
def test_choosing_among_many_says_the_same_as_asking_each(sent, contexts):
    workflows = [made(number, one) for number, one in enumerate(sent)]
    choice = Choice(workflows)
    ordered = sorted((w for w in workflows if w.enabled), key=lambda w: (w.position, w.id.int))
    for context in contexts:
        chosen = choice.chosen("alert", "alert_created", context)
        assert [w.name for w in chosen] == [w.name for w in ordered if matches(w, context).matched]


@settings(max_examples=100, deadline=None)
@given(params, subjects)
def test_a_verdict_agrees_with_the_short_answer(sent, context):
    one = made(0, sent)
    verdict = matches(one, context)
    assert verdict.matched is holds(one.rules, context)
    assert len(verdict.reasons) == len(verdict.findings)
