"""Import from CRM, as someone with a browser sees it: with the real CRM, sync and Invoice."""

from typing import Any

import pytest

from tests.visitor import Sheet, Visitor

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of pages is the same on both set-ups."""


async def ended(company: Any, visitor: Visitor, path: str) -> Sheet:
    """The page of a run, when it asks no more."""

    async def there() -> Sheet | None:
        sheet = await visitor.get(path)
        return None if "every 500ms" in sheet.html else sheet

    found: Sheet = await company.stack.eventually(there)
    return found


async def imported(company: Any, visitor: Visitor, **fields: str) -> Sheet:
    """The page of an import that has ended."""
    begun = await visitor.submit("/imports/new", **fields)
    assert begun.status == 303, begun.text
    return await ended(company, visitor, begun.leads_to or "")


async def test_s21_one_connects_looks_at_a_preview_imports_and_finds_the_customers(company: Any) -> None:
    await company.account("Alfreds <Futterkiste>", phone="030-0074321")
    await company.contact("Sommer")
    key = await company.make("zsc-keys")
    admin = await company.stack.visitor("invoice")
    access = {"email": key["email"], "zsc_key": key["key"]}
    preview = await imported(company, admin, **access, preview="true")
    assert "What an import would do Completed" in preview.text
    assert "Would be created 2" in preview.text
    assert "Alfreds <Futterkiste>" in preview.text
    assert "<Futterkiste>" not in preview.html
    assert await company.customers() == []
    assert "Not connected" in (await admin.get("/connection")).text, "a preview connects nothing"
    done = await imported(company, admin, **access)
    assert "Done: 2 records were read." in done.text
    assert len(await company.customers()) == 2
    again = await imported(company, admin, again="true")
    assert "Unchanged 2" in again.text
    history = await admin.get("/imports")
    assert [words in history.text for words in ("2 created", "2 unchanged", "Preview")] == [True] * 3
    assert history.text.index("2 unchanged") < history.text.index("Preview"), "newest first"


async def test_s27_the_connection_is_kept_checked_mended_and_ended(company: Any) -> None:
    account = await company.account("Alfreds Futterkiste", phone="030-0074321")
    await company.connect(auto_update=False)
    admin = await company.stack.visitor("invoice")
    refused = await admin.submit("/connection", interval_hours="200")
    assert refused.error("interval_hours") is not None
    assert "Saved." in (await admin.follow(await admin.submit("/connection", interval_hours="12"))).text
    customer = await company.customer_of(account)
    await company.invoice.patch(f"/v1/customers/{customer['id']}", json={"phone": "by hand"})
    begun = await admin.submit("/connection", "/connection/check")
    check = await ended(company, admin, begun.leads_to or "")
    assert "The CRM's values would come back" in check.text or "changed in Invoice" in check.text
    assert (await company.customers())[0]["phone"] == "by hand"
    mended = await admin.submit(check, "/connection/mend")
    await ended(company, admin, mended.leads_to or "")
    assert (await company.customers())[0]["phone"] == "030-0074321"
    gone = await admin.follow(await admin.submit("/connection", "/connection/disconnect"))
    assert "Not connected" in gone.text
    assert len(await company.customers()) == 1, "what was imported stays"


async def test_s21_while_an_import_is_under_way_its_page_shows_how_far_it_is_and_why_it_waits(
    company: Any,
) -> None:
    await company.account("Alfreds Futterkiste")
    await company.connect(auto_update=False)
    admin = await company.stack.visitor("invoice")
    await company.stack.stop("crm")
    begun = await admin.submit("/imports/new", again="true")
    path = begun.leads_to or ""

    async def waits() -> Sheet | None:
        sheet = await admin.get(path)
        return sheet if "aits and tries again" in sheet.text else None

    waiting: Sheet = await company.stack.eventually(waits)
    assert "every 500ms" in waiting.html
    assert "<progress" in waiting.html
    second = await admin.submit("/imports/new", again="true")
    assert second.leads_to == path, "there is one at a time"
    assert (await admin.submit("/connection", "/connection/check")).leads_to == path
    await company.stack.start("crm")
    assert "Done: 1 record was read." in (await ended(company, admin, path)).text


async def test_what_failed_is_told_and_tried_again(company: Any) -> None:
    for number in range(3):
        await company.account(f"Company {number}")
    plan = {"name": "small", "customers": 2}
    assert (await company.invoice.post("/v1/plans", json=plan)).status_code == 201
    [organization] = (await company.invoice.get("/v1/organizations")).json()["items"]
    path = f"/v1/organizations/{organization['id']}"
    assert (await company.invoice.patch(path, json={"plan": "small"})).status_code == 200
    await company.connect(auto_update=False)
    member = await company.stack.visitor("invoice", "member")
    run = (await company.sync.get("/v1/imports")).json()["items"][0]
    failed = await member.get(f"/imports/{run['id']}")
    assert "1 record failed." in failed.text
    assert "Company 2 Account" in failed.text
    assert "Company 2 Account" in (await member.get(f"/imports/{run['id']}/failures")).text
    await company.invoice.patch("/v1/plans/small", json={"customers": 3})
    begun = await member.submit(failed, f"/imports/{run['id']}/retry")
    retried = await ended(company, member, begun.leads_to or "")
    assert "Created 1" in retried.text
    assert len(await company.customers()) == 3


@FORM
async def test_a_key_that_the_crm_does_not_accept_is_marked_and_the_rest_is_kept(company: Any) -> None:
    key = await company.make("zsc-keys")
    admin = await company.stack.visitor("invoice")
    wrong = await admin.submit("/imports/new", email=key["email"], zsc_key="zsc_nonsense")
    assert wrong.status == 422
    assert wrong.error("zsc_key") is not None
    assert [form.fields["email"] for form in wrong.forms if "email" in form.fields] == [key["email"]]
    assert "zsc_nonsense" not in wrong.html, "a key is secret"
    empty = await admin.submit("/imports/new")
    assert (empty.error("email"), empty.error("zsc_key")) == ("Must not be empty", "Must not be empty")


@FORM
async def test_one_who_may_not_import_is_offered_nothing_and_refused(company: Any) -> None:
    await company.connect(auto_update=False)
    viewer, member = await company.stack.visitor("invoice", "viewer"), await company.stack.visitor("invoice", "member")
    assert "Import from CRM" not in (await viewer.get("/imports")).text
    assert "You may not do this" in (await viewer.get("/imports/new", status=403)).text
    connection = await viewer.get("/connection")
    token = connection.forms[0].fields
    for path in ("/imports/new", "/connection", "/connection/check", "/connection/mend", "/connection/disconnect"):
        assert (await viewer.post(path, token | {"again": "true"})).status == 403, path
    theirs = await member.get("/imports/new")
    assert "Import again" in theirs.text
    assert "ZSC key" not in theirs.text, "connecting is for administrators"
    for path in ("/connection", "/connection/mend", "/connection/disconnect"):
        assert (await member.post(path, theirs.forms[0].fields)).status == 403, path


@FORM
async def test_while_sync_does_not_answer_the_pages_say_so_calmly(company: Any) -> None:
    run = await company.connect(auto_update=False)
    admin = await company.stack.visitor("invoice")
    await company.stack.stop("sync")
    for path in ("/imports", "/imports/new", "/connection"):
        assert "Importing is not available right now." in (await admin.get(path, status=503)).text
    assert "this page goes on asking" in (await admin.get(f"/imports/{run['id']}")).text
    assert "nothing here" in (await admin.get("/imports/a/b", status=404)).text
