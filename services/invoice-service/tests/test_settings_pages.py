"""The pages of items and of an organization's settings."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of pages is the same on both set-ups."""


class TestItems:
    async def test_one_is_added_found_edited_and_deleted(self, invoice: Any) -> None:
        member = await invoice.stack.visitor("invoice", "member")
        added = await member.follow(
            await member.submit("/items/new", name="Konbu <kelp>", rate="6.125", unit="bag", description="dried")
        )
        assert "Konbu <kelp> was added." in added.text
        assert "$6.125" in added.text
        assert "Nothing found" in (await member.get("/items?q=chai")).text
        [item] = (await invoice.admin.get("/v1/items")).json()["items"]
        path = f"/items/{item['id']}/edit"
        opened = await member.get(path)
        wrong = await member.submit(opened, rate="much")
        assert wrong.status == 422
        assert wrong.error("rate") is not None
        await member.submit(wrong, rate="7", tax_percentage="19")
        assert "Rate, USD" in wrong.text
        stale = await member.submit(opened, rate="8")
        assert stale.status == 412
        listed = await member.get("/items?q=kelp")
        assert "$7.00 19%" in listed.text
        gone = await member.follow(await member.submit(path, f"/items/{item['id']}/delete"))
        assert "The item was deleted" in gone.text
        assert "No items yet" in gone.text

    @FORM
    async def test_a_viewer_sees_them_and_changes_none(self, invoice: Any) -> None:
        item = (await invoice.admin.post("/v1/items", json={"name": "Chai", "rate": "18"})).json()
        viewer = await invoice.stack.visitor("invoice", "viewer")
        shown = await viewer.get("/items")
        assert "Chai" in shown.text
        assert "New item" not in shown.text
        assert [form.action for form in shown.forms] == ["/sign-out"]
        for path in ("new", f"{item['id']}/edit", f"{item['id']}/delete"):
            assert (await viewer.post(f"/items/{path}", shown.forms[0].fields)).status == 403


def picture() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (40, 20), "navy").save(target, "PNG")
    return target.getvalue()


class TestSettings:
    async def test_an_administrator_sets_up_the_organization_and_its_logo(self, invoice: Any) -> None:
        admin = await invoice.stack.visitor("invoice", "admin")
        opened = await admin.get("/settings")
        assert "Plan Unlimited" in opened.text
        [form] = [form for form in opened.forms if form.action == "/settings"]
        sent = form.fields | {"name": "Northwind & Sons", "language": "de-DE", "number_prefixes.invoice": "RE-"}
        sent.pop("logo")
        files = {"logo": ("logo.png", picture(), "image/png")}
        headers = {"Sec-Fetch-Site": "same-origin"}
        answer = await admin.client.post("/settings", data=sent, files=files, headers=headers)
        assert answer.status_code == 303, answer.text
        [organization] = (await invoice.admin.get("/v1/organizations")).json()["items"]
        assert (organization["name"], organization["language"]) == ("Northwind & Sons", "de-DE")
        assert organization["number_prefixes"] == {"estimate": "EST-", "invoice": "RE-"}
        logo = await admin.client.get("/settings/logo")
        assert (logo.content, logo.headers["content-type"]) == (picture(), "image/png")
        again = await admin.get("/settings")
        assert 'src="/settings/logo?' in again.html
        await admin.submit(again, "/settings", no_logo="true", logo=None)
        assert "logo?" not in (await admin.get("/settings")).html

    @FORM
    async def test_what_is_refused_is_said_at_its_field(self, invoice: Any) -> None:
        admin = await invoice.stack.visitor("invoice", "admin")
        refused = await admin.submit("/settings", "/settings", language="xx-yy", phone="0" * 51, logo=None)
        assert refused.status == 422
        assert "is no language" in (refused.error("language") or "")
        assert refused.error("phone") == "Must have at most 50 characters"
        [form] = [form for form in refused.forms if form.action == "/settings"]
        files = {"logo": ("logo.png", base64.b64decode("aGVsbG8="), "image/png")}
        sent = form.fields | {"language": "en-US", "phone": ""}
        sent.pop("logo")
        damaged = await admin.client.post(
            "/settings", data=sent, files=files, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert damaged.status_code == 422
        assert "Is damaged, or no PNG or JPEG image" in damaged.text

    async def test_two_administrators_at_once_the_second_sees_both_versions(self, invoice: Any) -> None:
        admin = await invoice.stack.visitor("invoice", "admin")
        opened = await admin.get("/settings")
        await admin.submit("/settings", "/settings", phone="1", logo=None)
        stale = await admin.submit(opened, "/settings", phone="2", logo=None)
        assert stale.status == 412
        assert "Phone 2 1" in stale.text

    @FORM
    async def test_others_see_it_with_plan_and_use_and_change_nothing(self, invoice: Any) -> None:
        await invoice.admin.post("/v1/plans", json={"name": "Small", "documents_per_month": 5, "customers": 3})
        [organization] = (await invoice.admin.get("/v1/organizations")).json()["items"]
        await invoice.admin.patch(f"/v1/organizations/{organization['id']}", json={"plan": "Small"})
        await invoice.estimate((await invoice.customer())["id"])
        member = await invoice.stack.visitor("invoice", "member")
        shown = await member.get("/settings")
        for words in ("Plan Small", "Documents this month 1 of 5", "Customers 1 of 3", "Administrators can change"):
            assert words in shown.text, words
        assert (await member.post("/settings", shown.forms[0].fields)).status == 403
