"""Importing CSV: all rows or none, and every fault told with its place in the file."""

from typing import Any

import pytest

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of requests is the same on both set-ups."""


async def told_nothing_and_made_nothing(crm: Any, kind: str) -> bool:
    """A record made now is the only one there is, and the only one that was told of."""
    marker = await crm.account("Marker")
    verbs = [data.id for _, data in await crm.told(1)]
    others = [item for item in await crm.names(kind, "id") if item != marker["id"]]
    return verbs == [marker["id"]] and not others


class TestAGoodFile:
    async def test_becomes_accounts_that_are_told_of(self, crm: Any) -> None:
        text = (
            "\ufeffaccount_name,phone,billing_address.street,billing_address.city\r\n"
            '"Alfreds ""Futterkiste""",030-0074321,"Obere Str. 57,\r\n1. Stock",Berlin\r\n'
            "\r\n"
            "Around the Horn,,,\r\n"
        )
        response = await crm.send_csv("accounts", text.replace(",\r\n1. Stock", " 1. Stock"))
        report = response.json()
        assert response.status_code == 200
        assert report | {"ids": len(report["ids"])} == {
            "dry_run": False,
            "rows": 2,
            "created": 2,
            "errors": [],
            "error_count": 0,
            "ids": 2,
        }
        first, second = [await crm.read(f"accounts/{account_id}") for account_id in report["ids"]]
        assert (first["account_name"], first["version"]) == ('Alfreds "Futterkiste"', 1)
        assert first["billing_address"]["street"] == "Obere Str. 57 1. Stock"
        assert (second["phone"], second["billing_address"]["city"]) == ("", "")
        assert await crm.names("accounts?q=futter%20berlin", "id") == [first["id"]]
        assert [(verb, data.id) for verb, data in await crm.told(2)] == [
            ("account.created", first["id"]),
            ("account.created", second["id"]),
        ]

    async def test_may_have_semicolons_as_spreadsheets_write_them(self, crm: Any) -> None:
        report = (await crm.send_csv("accounts", "account_name;phone\nMüller, Söhne & Co.;1\n")).json()
        assert report["created"] == 1
        assert await crm.names("accounts", "account_name") == ["Müller, Söhne & Co."]

    async def test_becomes_contacts_of_accounts_by_id_or_name(self, crm: Any) -> None:
        named, other = await crm.account("Around the Horn"), await crm.account("Other")
        text = f"last_name,account_id,account_name\nHardy,,Around the Horn\nAnders,{other['id']},\nAlone,,\n"
        report = (await crm.send_csv("contacts", text)).json()
        accounts = [(await crm.read(f"contacts/{contact_id}"))["account_id"] for contact_id in report["ids"]]
        assert accounts == [named["id"], other["id"], None]

    async def test_becomes_potentials_in_their_stages(self, crm: Any) -> None:
        account, contact = await crm.account("Around the Horn"), await crm.contact("Hardy")
        text = (
            "potential_name,stage,amount,currency_code,closing_date,account_name,contact_id\n"
            f"Order 1,Closed Won,814.5,,1997-09-22,Around the Horn,{contact['id']}\n"
            "Order 2,,1200,JPY,,,\n"
        )
        report = (await crm.send_csv("potentials", text)).json()
        won, first = [await crm.read(f"potentials/{potential_id}") for potential_id in report["ids"]]
        assert (won["status"], won["amount"], won["currency_code"]) == ("won", "814.50", "USD")
        assert (won["account_id"], won["contact_id"], won["closing_date"]) == (
            account["id"],
            contact["id"],
            "1997-09-22",
        )
        assert (first["stage"], first["amount"], first["account_id"]) == ("Qualification", "1200", None)
        verbs = {verb for verb, data in await crm.told(4) if data.id in report["ids"]}
        assert verbs == {"potential.created"}

    async def test_sent_twice_with_one_key_is_imported_once(self, crm: Any) -> None:
        key = {"Idempotency-Key": "a click"}
        first = await crm.send_csv("accounts", "account_name\nA\n", **key)
        again = await crm.send_csv("accounts", "account_name\nA\n", **key)
        assert again.json() == first.json()
        assert await crm.names("accounts", "id") == first.json()["ids"]


class TestADryRun:
    async def test_tells_what_would_happen_and_changes_nothing(self, crm: Any) -> None:
        response = await crm.send_csv("accounts", "account_name\nA\nB\n", dry_run=True)
        assert response.status_code == 200
        assert response.json() == {"dry_run": True, "rows": 2, "created": 2, "errors": [], "error_count": 0}
        assert await told_nothing_and_made_nothing(crm, "accounts")

    async def test_lists_the_faults_without_refusing(self, crm: Any) -> None:
        response = await crm.send_csv("contacts", "last_name,account_name\nA,Nobody\nB,\n", dry_run=True)
        assert response.status_code == 200
        assert response.json() == {
            "dry_run": True,
            "rows": 2,
            "created": 0,
            "errors": [{"row": 2, "field": "account_name", "message": "there is no account named 'Nobody'"}],
            "error_count": 1,
        }


class TestOneBadRow:
    async def test_keeps_all_others_out_and_is_told_with_its_line(self, crm: Any) -> None:
        text = 'account_name,description,phone\nA,"two\nlines",1\n\n,no name,1\nB,too many,1,2\nC,ok,' + "9" * 51 + "\n"
        document = crm.refused(await crm.send_csv("accounts", text), 422, "csv_rows_invalid")
        assert [(error["row"], error["field"]) for error in document["errors"]] == [
            (5, "account_name"),
            (6, ""),
            (7, "phone"),
        ]
        assert (document["rows"], document["created"], document["error_count"]) == (4, 0, 3)
        assert "row 5, account_name" in document["detail"]
        assert await told_nothing_and_made_nothing(crm, "accounts")

    @FORM
    async def test_among_very_many_is_counted_and_a_hundred_listed(self, crm: Any) -> None:
        document = crm.refused(
            await crm.send_csv("accounts", "account_name,fax\n" + ",1\n" * 250), 422, "csv_rows_invalid"
        )
        assert (len(document["errors"]), document["error_count"]) == (100, 250)

    async def test_that_refers_to_what_is_not_there_is_told(self, crm: Any) -> None:
        account, gone = await crm.account("Unique"), await crm.account("Gone")
        await crm.account("Twice")
        await crm.account("Twice")
        await crm.delete(f"accounts/{gone['id']}")
        text = "last_name,account_id,account_name\n" + "".join(
            f"Hardy,{account_id},{name}\n"
            for account_id, name in [
                (account["id"], ""),
                (gone["id"], ""),
                ("nope", ""),
                ("", "Gone"),
                ("", "Twice"),
                ("", "unique"),
                (account["id"], "Unique"),
            ]
        )
        document = crm.refused(await crm.send_csv("contacts", text), 422, "csv_rows_invalid")
        assert [(error["row"], error["field"]) for error in document["errors"]] == [
            (3, "account_id"),
            (4, "account_id"),
            (5, "account_name"),
            (6, "account_name"),
            (7, "account_name"),
            (8, "account_name"),
        ]
        assert await crm.names("contacts", "id") == []

    async def test_of_a_potential_names_stage_and_amount(self, crm: Any) -> None:
        text = "potential_name,stage,amount,contact_id\nA,Won,1.005,\nB,,NaN,\nC,,1,nope\nD,,,\n"
        document = crm.refused(await crm.send_csv("potentials", text), 422, "csv_rows_invalid")
        assert [(error["row"], error["field"]) for error in document["errors"]] == [
            (2, "amount"),
            (2, "stage"),
            (3, "amount"),
            (4, "contact_id"),
        ]
        assert await crm.names("potentials", "id") == []


FILES: list[tuple[str | bytes, str, str]] = [
    ("", "csv_invalid", "the file is empty"),
    ("\n\n", "csv_invalid", "the file is empty"),
    ("phone,fax\n1,2\n", "csv_header_invalid", "column 'account_name' is missing"),
    ("account_name,acount_name\nA,B\n", "csv_header_invalid", "did you mean 'account_name'?"),
    ("account_name,owner\nA,B\n", "csv_header_invalid", "unknown column 'owner'; there are: account_name, phone"),
    ("account_name,phone,phone\nA,1,2\n", "csv_header_invalid", "column 'phone' is there twice"),
    ("account_name,,phone\nA,,2\n", "csv_header_invalid", "column 2 has no name"),
    ("account_name\nA\n".encode("utf-16"), "csv_invalid", "UTF-16"),
    ("account_name\nA\nMüller\n".encode("latin-1"), "csv_invalid", "line 3, byte 2 (byte 17 of the file): 0xFC"),
    (b"\xef\xbb\xbfaccount_name\n\xfc\n", "csv_invalid", "line 2, byte 1 (byte 17 of the file)"),
    ('account_name\nA\n"B\n', "csv_invalid", "line 3: unexpected end of data"),
]


@FORM
async def test_a_file_that_cannot_be_read_is_one_clear_problem(crm: Any) -> None:
    for text, code, said in FILES:
        document = crm.refused(await crm.send_csv("accounts", text), 422, code)
        assert said in document["detail"]
    assert await told_nothing_and_made_nothing(crm, "accounts")


@FORM
async def test_a_file_of_another_type_is_refused(crm: Any) -> None:
    for content_type in ("application/json", "text/plain", "text/csv; charset=iso-8859-1"):
        response = await crm.send_csv("accounts", "account_name\nA\n", **{"Content-Type": content_type})
        crm.refused(response, 415, "unsupported_media_type")
    assert (
        await crm.send_csv("accounts", "account_name\nA\n", **{"Content-Type": "text/csv; charset=UTF-8"})
    ).is_success


@FORM
async def test_more_rows_than_a_hundred_thousand_are_refused_naming_the_limit(crm: Any) -> None:
    document = crm.refused(await crm.send_csv("accounts", "account_name\n" + "A\n" * 100_001), 413, "csv_too_many_rows")
    assert (document["rows"], document["limit_rows"]) == (100_001, 100_000)
    assert "100,000" in document["detail"]


@FORM
async def test_the_api_document_names_the_columns(crm: Any) -> None:
    document = (await crm.stack.anonymous("crm").get("/openapi.json")).json()
    described = document["paths"]["/v1/contacts/import"]["post"]
    assert "text/csv" in described["requestBody"]["content"]
    assert "`last_name`*" in described["description"]
    assert "`account_name`." in described["description"]
    assert "`shipping_address.zip`" in document["paths"]["/v1/accounts/import"]["post"]["description"]
