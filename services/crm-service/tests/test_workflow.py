"""S14: the workflow's set-up and runs are workflow-service's; the CRM hands them on, in the person's name."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from servicekit.auth import Tokens

# Nothing here touches the database or the bus in a way of its own.
pytestmark = pytest.mark.parametrize("stack", ["embedded"], indirect=True)

SECRET = "a secret of the tests, long enough for anyone"


class FakeWorkflow:
    """Keeps one setting, and who asked for what."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.setting: Any = {"active": False, "trigger": "estimates"}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.app.get("/v1/workflow")(self.get)
        self.app.put("/v1/workflow")(self.put)
        self.app.get("/v1/runs")(self.runs)

    def _note(self, request: Request) -> None:
        token = request.headers["authorization"].removeprefix("Bearer ")
        principal = Tokens(SECRET, "workflow").verify(token)
        assert principal.service == "crm"
        self.asked.append((principal.name, principal.role, dict(request.query_params)))

    async def get(self, request: Request) -> Any:
        self._note(request)
        return self.setting

    async def put(self, request: Request) -> Any:
        self._note(request)
        if (await request.json())["trigger"] == "invoices":
            problem = {"code": "trigger_not_ready", "title": "Not now", "detail": "invoices come later", "status": 409}
            return JSONResponse(problem, 409)
        self.setting = await request.json()
        return self.setting

    async def runs(self, request: Request) -> Any:
        self._note(request)
        return {"items": [{"outcome": "skipped"}], "next_cursor": None}


@pytest.fixture
def workflow(crm: Any) -> Iterator[FakeWorkflow]:
    fake = FakeWorkflow()
    crm.stack.apps["workflow"] = fake.app
    yield fake
    del crm.stack.apps["workflow"]


async def test_s14_the_setting_is_read_and_changed_in_the_persons_name(crm: Any, workflow: FakeWorkflow) -> None:
    admin = await crm.stack.person("crm", "admin")
    assert await crm.read("workflow") == {"active": False, "trigger": "estimates"}
    answer = await admin.put("/v1/workflow", json={"active": True, "trigger": "estimates"})
    assert answer.json() == workflow.setting == {"active": True, "trigger": "estimates"}
    assert [(name, role) for name, role, _ in workflow.asked] == [
        ("member@crm.test", "member"),
        ("admin@crm.test", "admin"),
    ]


async def test_s14_only_an_administrator_sets_up(crm: Any, workflow: FakeWorkflow) -> None:
    body = {"active": True, "trigger": "estimates"}
    crm.refused(await crm.member.put("/v1/workflow", json=body), 403, "role_too_low")
    admin = await crm.stack.person("crm", "admin")
    bad = await admin.put("/v1/workflow", json=body | {"trigger": "orders"})
    crm.refused(bad, 422, "validation_error", "trigger")
    assert workflow.asked == []


async def test_what_workflow_refuses_is_told_as_it_said_it(crm: Any, workflow: FakeWorkflow) -> None:
    admin = await crm.stack.person("crm", "admin")
    answer = await admin.put("/v1/workflow", json={"active": True, "trigger": "invoices"})
    document = crm.refused(answer, 409, "trigger_not_ready")
    assert (document["title"], document["detail"]) == ("Not now", "invoices come later")


async def test_a_potentials_runs_are_read(crm: Any, workflow: FakeWorkflow) -> None:
    deal = await crm.potential()
    page = await crm.read(f"potentials/{deal['id']}/workflow-runs?limit=5&cursor=abc")
    assert page["items"] == [{"outcome": "skipped"}]
    assert workflow.asked[0][2] == {"potential_id": deal["id"], "limit": "5", "cursor": "abc"}
    unknown = await crm.member.get(f"/v1/potentials/{'0' * 36}/workflow-runs")
    crm.refused(unknown, 404, "potential_not_found")


async def test_while_workflow_is_down_the_crm_says_so(crm: Any) -> None:
    deal = await crm.potential()
    for path in ("/v1/workflow", f"/v1/potentials/{deal['id']}/workflow-runs"):
        document = crm.refused(await crm.member.get(path), 503, "unavailable")
        assert "workflow" in document["detail"]
