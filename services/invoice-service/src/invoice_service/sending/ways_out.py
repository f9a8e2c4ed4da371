"""Which way e-mails leave, by the settings; and the courier of a service."""

from servicekit.service import Service

from invoice_service.sending.courier import Courier
from invoice_service.sending.folder_mailer import FolderMailer
from invoice_service.sending.kinds import MAILABLES
from invoice_service.sending.mail import Mailer
from invoice_service.sending.service import MailNotConfigured
from invoice_service.sending.smtp_mailer import SmtpMailer
from invoice_service.settings import InvoiceSettings

FOLDER_SENDER = "invoice@localhost"
"""Whom messages come from that only become files, if the settings name nobody."""


def mailer_of(settings: InvoiceSettings) -> Mailer | None:
    """A folder if one is set, else a mail server if one is set; None if neither is."""
    if settings.mail_dir is not None:
        return FolderMailer(settings.mail_dir, sender=settings.mail_from or FOLDER_SENDER)
    if settings.smtp_host is None or settings.mail_from is None:
        return None
    password = settings.smtp_password
    return SmtpMailer(
        settings.smtp_host,
        sender=settings.mail_from,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=None if password is None else password.get_secret_value(),
        security=settings.smtp_security,
    )


def courier_of(service: Service) -> Courier | None:
    """The service's courier, made at first use; None if no way out is set."""
    if "courier" not in service.state:
        settings = service.settings
        assert isinstance(settings, InvoiceSettings)
        mailer = mailer_of(settings)
        delays = settings.mail_retry_delays
        service.state["courier"] = mailer and Courier(service.database, mailer, MAILABLES, delays=delays)
    courier: Courier | None = service.state["courier"]
    return courier


def require_courier(service: Service) -> Courier:
    """The service's courier. Raises `MailNotConfigured`."""
    courier = courier_of(service)
    if courier is None:
        raise MailNotConfigured
    return courier
