"""Messages over SMTP to a real server, and as files; and what people typed in their headers."""

import asyncio
import datetime
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from hypothesis import given
from hypothesis import strategies as st
from invoice_service.sending.addresses import normalised
from invoice_service.sending.composing import Letter, compose
from invoice_service.sending.folder_mailer import FolderMailer
from invoice_service.sending.mail import Mail, Report
from invoice_service.sending.smtp_mailer import SmtpMailer

from tests.mail_server import Postman, Server, parsed

NOW = datetime.datetime(2026, 3, 4, 9, 30, tzinfo=datetime.UTC)
PDF = b"%PDF-1.4 not really"
SENDER = "invoices@northwind.example"


def letter(**values: Any) -> Letter:
    usual: dict[str, Any] = {
        "id": "0197-1",
        "sender": SENDER,
        "sender_name": "Northwind Traders",
        "reply_to": "",
        "to": ["maria@alfreds.example"],
        "cc": [],
        "subject": "Invoice",
        "message": "Dear Maria,\n\nhere it is.\n",
        "sent_at": NOW,
        "number": "INV-000001",
    }
    return Letter(**(usual | values))


def mail(*recipients: str, content: bytes | None = None) -> Mail:
    to = recipients or ("maria@alfreds.example",)
    return Mail(id="0197-1", created_at=NOW, recipients=to, content=content or compose(letter(to=to), PDF))


@pytest.fixture
def postman() -> Postman:
    return Postman()


@pytest.fixture
def server(postman: Postman) -> Iterator[Server]:
    running = Server(postman, hostname="127.0.0.1", port=0)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def mailer(server: Server) -> SmtpMailer:
    return SmtpMailer("127.0.0.1", port=server.port, security="none", sender=SENDER)


class TestSmtp:
    async def test_every_recipient_gets_the_message(self, mailer: SmtpMailer, postman: Postman) -> None:
        report = await mailer.send(mail("maria@alfreds.example", "office@alfreds.example"))

        assert report == Report(taken=("maria@alfreds.example", "office@alfreds.example"))
        (recipients, content), *more = postman.got
        assert (recipients, more) == (["maria@alfreds.example", "office@alfreds.example"], [])
        assert parsed(content)["Message-ID"] == "<0197-1@northwind.example>"

    async def test_a_recipient_refused_for_good_or_for_now_does_not_keep_it_from_the_others(
        self, mailer: SmtpMailer, postman: Postman
    ) -> None:
        postman.to_recipient = {"gone@a.example": "550 no such user", "full@a.example": "452 mailbox full"}

        report = await mailer.send(mail("maria@a.example", "gone@a.example", "full@a.example"))

        assert report == Report(
            taken=("maria@a.example",),
            refused={"gone@a.example": "550 no such user"},
            deferred={"full@a.example": "452 mailbox full"},
        )
        assert [recipients for recipients, _ in postman.got] == [["maria@a.example"]]

    async def test_all_refused_is_final_only_where_the_server_says_so(
        self, mailer: SmtpMailer, postman: Postman
    ) -> None:
        postman.to_recipient = {"gone@a.example": "550 no such user", "full@a.example": "452 mailbox full"}

        report = await mailer.send(mail("gone@a.example", "full@a.example"))

        assert report == Report(
            refused={"gone@a.example": "550 no such user"}, deferred={"full@a.example": "452 mailbox full"}
        )

    @pytest.mark.parametrize(
        ("said", "final"), [("554 this is spam", True), ("552 too big", True), ("451 try again later", False)]
    )
    async def test_what_the_server_says_to_the_message_holds_for_all(
        self, mailer: SmtpMailer, postman: Postman, said: str, final: bool
    ) -> None:
        postman.to_message = said

        report = await mailer.send(mail())

        reasons = {"maria@alfreds.example": said}
        assert report == (Report(refused=reasons) if final else Report(deferred=reasons))

    async def test_a_sender_that_is_not_accepted_can_be_repaired_meanwhile(
        self, mailer: SmtpMailer, postman: Postman
    ) -> None:
        postman.to_sender = "553 you may not send as that"

        report = await mailer.send(mail())

        assert report.deferred == {"maria@alfreds.example": "553 you may not send as that"}

    async def test_a_connection_that_drops_midway_leaves_it_open(self, mailer: SmtpMailer, postman: Postman) -> None:
        postman.to_message = "drop"

        report = await mailer.send(mail())

        assert set(report.deferred) == {"maria@alfreds.example"}
        postman.to_message = "250 taken"
        assert (await mailer.send(mail())).taken == ("maria@alfreds.example",)

    async def test_a_server_that_is_not_there_is_named(self, postman: Postman) -> None:
        gone = Server(postman, hostname="127.0.0.1", port=0)
        gone.start()
        await asyncio.to_thread(gone.stop)

        report = await SmtpMailer("127.0.0.1", port=gone.port, security="none", sender=SENDER).send(mail())

        assert report.deferred["maria@alfreds.example"].startswith(f"127.0.0.1:{gone.port}: ")


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody trusts by itself, and its key."""
    crt, key = folder / "server.crt", folder / "server.key"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mail -addext subjectAltName=IP:127.0.0.1 "
        f"-keyout {key} -out {crt}".split(),
        check=True,
        capture_output=True,
    )
    return crt, key


class TestEncryption:
    @pytest.fixture
    def secured(self, postman: Postman, tmp_path: Path) -> Iterator[tuple[Server, Path]]:
        crt, key = certificate(tmp_path)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(crt, key)

        def check(_: Any, __: Any, ___: Any, ____: Any, given: Any) -> AuthResult:
            return AuthResult(success=(given.login, given.password) == (b"northwind", b"right"), handled=False)

        running = Server(
            postman,
            hostname="127.0.0.1",
            port=0,
            tls_context=context,
            require_starttls=True,
            authenticator=check,
            auth_required=True,
        )
        running.start()
        yield running, crt
        running.stop()

    def mailer(self, server: Server, password: str) -> SmtpMailer:
        return SmtpMailer("127.0.0.1", port=server.port, sender=SENDER, username="northwind", password=password)

    async def test_it_signs_in_over_starttls(
        self, secured: tuple[Server, Path], postman: Postman, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server, crt = secured
        untrusted = await self.mailer(server, "right").send(mail())
        assert "certificate" in untrusted.deferred["maria@alfreds.example"]
        monkeypatch.setenv("SSL_CERT_FILE", str(crt))

        wrong = await self.mailer(server, "wrong").send(mail())
        right = await self.mailer(server, "right").send(mail())

        # Someone can correct the password while the message waits.
        assert "535" in wrong.deferred["maria@alfreds.example"]
        assert right.taken == ("maria@alfreds.example",)
        assert len(postman.got) == 1

    async def test_a_server_without_starttls_never_gets_the_message_in_the_clear(
        self, server: Server, postman: Postman
    ) -> None:
        report = await SmtpMailer("127.0.0.1", port=server.port, sender=SENDER).send(mail())

        assert "STARTTLS" in report.deferred["maria@alfreds.example"]
        assert postman.got == []


class TestFolder:
    async def test_a_message_is_one_file_however_often_it_is_sent(self, tmp_path: Path) -> None:
        mailer = FolderMailer(tmp_path / "mail", sender=SENDER)

        for _ in range(2):
            assert await mailer.send(mail()) == Report(taken=("maria@alfreds.example",))

        (file,) = (tmp_path / "mail").iterdir()
        assert file.name == "20260304T093000-0197-1.eml"
        assert parsed(file.read_bytes())["To"] == "maria@alfreds.example"

    async def test_a_folder_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "mail").write_text("a file stands in the way")

        (reason,) = (await FolderMailer(tmp_path / "mail", sender=SENDER).send(mail())).deferred.values()

        assert str(tmp_path / "mail") in reason


class TestHeaders:
    def test_a_message_says_who_sends_what_to_whom(self) -> None:
        message = parsed(
            compose(
                letter(
                    sender_name="Crème & Söhne, „Zürich“",
                    reply_to="office@soehne.example",
                    cc=["boss@alfreds.example"],
                    subject="Rechnung 请款单 INV-000001",
                    message="Sehr geehrte Frau Anders,\n\n.\nبفضلك\n",
                ),
                PDF,
            )
        )

        assert message["From"].addresses[0].display_name == "Crème & Söhne, „Zürich“"
        assert message["From"].addresses[0].addr_spec == SENDER
        assert (message["To"], message["Cc"]) == ("maria@alfreds.example", "boss@alfreds.example")
        assert message["Reply-To"] == "office@soehne.example"
        assert message["Subject"] == "Rechnung 请款单 INV-000001"
        assert message["Date"].datetime == NOW
        text, attached = message.iter_parts()
        assert text.get_content().replace("\r\n", "\n") == "Sehr geehrte Frau Anders,\n\n.\nبفضلك\n"
        assert (attached.get_content_type(), attached.get_filename()) == ("application/pdf", "INV-000001.pdf")
        assert attached.get_content() == PDF

    @given(name=st.text(max_size=80), subject=st.text(max_size=255), number=st.text(max_size=40))
    def test_nothing_that_people_type_adds_a_header_or_a_recipient(self, name: str, subject: str, number: str) -> None:
        usual = parsed(compose(letter(), PDF))

        message = parsed(compose(letter(sender_name=name, subject=subject, number=number), PDF))

        assert message.keys() == usual.keys()
        assert message["To"] == "maria@alfreds.example"
        assert [address.addr_spec for address in message["From"].addresses] == [SENDER]
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "application/pdf"]

    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            (" Maria.Anders+books@Alfreds.Example ", "Maria.Anders+books@alfreds.example"),
            ("info@Müller.example", "info@xn--mller-kva.example"),
        ],
    )
    def test_an_address_is_kept_in_one_form(self, typed: str, kept: str) -> None:
        assert normalised(typed) == kept

    @pytest.mark.parametrize(
        "typed",
        [
            "", "maria", "@alfreds.example", "maria@", "a@b@c.example", "a@b.example, c@d.example", "<a@b.example>",
            "Maria <maria@alfreds.example>", "a@b.example\nBcc: x", "a@b.example\r\nRCPT TO:<c@d.example>",
            "a@b..example", ".a@b.example", "a@" + "b" * 70 + ".example", "a" * 250 + "@b.example", "a@[127.0.0.1]",
            "märia@alfreds.example", "a\x00@b.example", "a\u2028@b.example",
        ],
    )  # fmt: skip
    def test_what_is_no_address_is_refused(self, typed: str) -> None:
        with pytest.raises(ValueError, match="no e-mail address"):
            normalised(typed)

    @given(st.text(max_size=60))
    def test_what_is_taken_for_an_address_can_be_written_into_a_header(self, typed: str) -> None:
        try:
            address = normalised(typed)
        except ValueError:
            return
        assert parsed(compose(letter(to=[address]), PDF))["To"] == address
