"""What a person has changed the workflow leaves alone (S17), and what it may not do at all."""

from typing import Any

LINE = {"name": "Line", "rate": "1"}


class TestWorkflowLock:
    async def test_s17_what_a_person_has_changed_the_workflow_leaves_alone_until_an_admin_unlocks_it(
        self, invoice: Any
    ) -> None:
        await invoice.apply(invoice.account("a"))
        body = {"crm_account_id": "a", "crm_potential_id": "p", "crm_potential_version": 2, "line_items": [LINE]}
        made = invoice.made(await invoice.workflow.post("/v1/invoices", json=body))
        path = f"/v1/invoices/{made['id']}"
        member = await invoice.stack.person("invoice", "member")

        touched = invoice.ok(await member.post(f"{path}/status/sent"))
        refused = await invoice.workflow.post(f"{path}/status/void", json={"crm_potential_version": 3})

        assert (made["origin"], made["workflow_locked"], made["locked_by"]) == ("workflow", False, None)
        assert (touched["workflow_locked"], touched["locked_by"]) == (True, "member@invoice.test")
        assert invoice.refused(refused) == (409, "invoice_locked_for_workflow")
        problem = refused.json()
        assert problem["detail"].startswith(
            "left alone: the status of INV-000001 was changed by member@invoice.test on "
        )
        assert (problem["locked_by"], problem["locked_at"]) == (
            "member@invoice.test",
            touched["locked_at"].replace("Z", "+00:00"),
        )

        assert invoice.refused(await member.post(f"{path}/unlock")) == (403, "role_too_low")
        unlocked = invoice.ok(await invoice.admin.post(f"{path}/unlock"))
        assert (unlocked["workflow_locked"], unlocked["history"][-1]["what"]) == (False, "unlocked for the workflow")
        assert invoice.ok(await invoice.workflow.post(f"{path}/status/void"))["status"] == "void"
        assert invoice.refused(await invoice.admin.post(f"{path}/unlock")) == (409, "invoice_not_locked")
        told = [(verb, data.status, data.workflow_locked) for verb, data, _ in await invoice.told("invoice")]
        assert told == [
            ("created", "draft", False),
            ("status_changed", "sent", True),
            ("updated", "sent", False),
            ("status_changed", "void", False),
        ]

    async def test_s19_a_void_one_stays_void_for_the_workflow(self, invoice: Any) -> None:
        await invoice.apply(invoice.account("a"))
        body = {"crm_account_id": "a", "crm_potential_id": "p", "line_items": [LINE]}
        made = invoice.made(await invoice.workflow.post("/v1/invoices", json=body))
        path = f"/v1/invoices/{made['id']}/status"
        invoice.ok(await invoice.workflow.post(f"{path}/void"))

        refused = [await invoice.workflow.post(f"{path}/{status}") for status in ("draft", "sent")]

        assert [invoice.refused(one) for one in refused] == [(409, "invoice_void")] * 2
        assert invoice.ok(await invoice.admin.post(f"{path}/draft"))["status"] == "draft"

    async def test_s17_editing_does_not_lock_and_a_payment_does(self, invoice: Any) -> None:
        await invoice.apply(invoice.account("a"))
        body = {"crm_account_id": "a", "crm_potential_id": "p", "line_items": [LINE]}
        made = invoice.made(await invoice.workflow.post("/v1/invoices", json=body))
        invoice.ok(await invoice.workflow.post(f"/v1/invoices/{made['id']}/status/sent"))

        edited = invoice.ok(await invoice.admin.patch(f"/v1/invoices/{made['id']}", json={"notes": "New"}))
        await invoice.pay(made["id"], "1")

        assert edited["workflow_locked"] is False
        assert (await invoice.shown("invoices", made["id"]))["workflow_locked"] is True

    async def test_s19_a_command_from_an_older_potential_is_refused(self, invoice: Any) -> None:
        await invoice.apply(invoice.account("a"))
        body = {"crm_account_id": "a", "crm_potential_id": "p", "crm_potential_version": 4, "line_items": [LINE]}
        made = invoice.made(await invoice.workflow.post("/v1/invoices", json=body))
        refused = await invoice.workflow.post(
            f"/v1/invoices/{made['id']}/status/void", json={"crm_potential_version": 3}
        )
        assert invoice.refused(refused) == (409, "stale_potential_version")
