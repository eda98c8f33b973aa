"""Mail by SMTP, encrypted unless the server is on this machine."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from twinlab.errors import SourceError
from twinlab.model.alerts.channel import ChannelKind, Message
from twinlab.model.extensions.options import Options
from twinlab.model.extensions.secrets import Secret, secret_of

__all__ = ["SMTP", "SmtpOptions", "send_mail"]


class SmtpOptions(Options):
    """Options of a channel that sends mail."""

    host: str
    """Name of the server."""
    port: Annotated[int, Field(gt=0, lt=65536)] = 587
    """Its port."""
    to: Annotated[list[str], Field(min_length=1)]
    """Addresses."""
    sender: str
    """The address that the mail is from."""
    user: Secret | None = None
    """Environment variable with the name to log in with."""
    password: Secret | None = None
    """Environment variable with the password."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is encrypted; "none" only to this machine."""
    timeout: Annotated[float, Field(gt=0, le=300)] = 10.0
    """Seconds."""


def send_mail(options: SmtpOptions, message: Message, folder: Path) -> None:
    """Send a message by mail; returns when the server has taken it over.

    Raises
    ------
    SourceError
        If the server can't be reached or refuses the mail; says what it answered.
    """
    del folder
    where = f"mail server {options.host}:{options.port}"
    if options.security == "none" and options.host not in ("localhost", "127.0.0.1", "::1"):
        msg = f"{where}: expected an encrypted connection, got security: none, which is for this machine only; use starttls or tls"
        raise SourceError(msg)
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.subject.split())
    mail["From"], mail["To"] = options.sender, ", ".join(options.to)
    mail.set_content(message.text)
    try:
        with _connection(options) as server:
            if options.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if options.user is not None:
                password = "" if options.password is None else secret_of(options.password, where)
                server.login(secret_of(options.user, where), password)
            refused = server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        msg = f"{where} didn't take the mail: {_answer(error)}; it is sent again later"
        raise SourceError(msg) from error
    if refused:
        msg = f"{where} refused {', '.join(refused)}; correct the addresses of the channel"
        raise SourceError(msg)


def _connection(options: SmtpOptions) -> smtplib.SMTP:
    if options.security == "tls":
        return smtplib.SMTP_SSL(
            options.host, options.port, timeout=options.timeout, context=ssl.create_default_context()
        )
    return smtplib.SMTP(options.host, options.port, timeout=options.timeout)


def _answer(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"it refused the login ({error.smtp_code})"
    return str(error) or type(error).__name__


SMTP = ChannelKind("smtp", send_mail, SmtpOptions)
