"""Mail by SMTP at an address that apprise has read, under one Message-ID however often it is tried."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formataddr, formatdate
from typing import TYPE_CHECKING, Any

from analytics.letters.courier import ANSWER_S, UndeliveredError

if TYPE_CHECKING:
    from analytics.letters.courier import Post

MOST_SUBJECT = 200


class MailCourier:
    """To the address of the contact, or where it names none, to those that the settings name."""

    takes_address = True

    def __init__(self, plugin: Any) -> None:
        """``plugin`` is apprise's ``NotifyEmail``."""
        self._plugin = plugin
        self._name, self._from = plugin.from_addr[0] or "Meterhouse", plugin.from_addr[1]

    def deliver(self, post: Post) -> None:
        """One attempt: until the letter itself is handed over nothing can have arrived."""
        to = [post.address] if post.address else [address for _, address in self._plugin.targets]
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            raise UndeliveredError(_in_words(error), may_have_arrived=False) from None
        try:
            server.send_message(self._letter(post, to), self._from, to)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as error:
            raise UndeliveredError(_in_words(error), may_have_arrived=False) from None
        except (OSError, smtplib.SMTPException) as error:
            raise UndeliveredError(_in_words(error), may_have_arrived=True) from None
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.close()

    def _connected(self) -> smtplib.SMTP:
        plugin, context = self._plugin, ssl.create_default_context()
        if not plugin.verify_certificate:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        server: smtplib.SMTP
        if plugin.secure_mode == "ssl":
            server = smtplib.SMTP_SSL(plugin.smtp_host, plugin.port, timeout=ANSWER_S, context=context)
        else:
            server = smtplib.SMTP(plugin.smtp_host, plugin.port, timeout=ANSWER_S)
        try:
            if plugin.secure_mode == "starttls":
                server.starttls(context=context)
            if plugin.user and plugin.password:
                server.login(plugin.user, plugin.password)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server

    def _letter(self, post: Post, to: list[str]) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = formataddr((self._name, self._from))
        letter["To"] = ", ".join(to)
        letter["Subject"] = " ".join(post.subject.split())[:MOST_SUBJECT]
        letter["Message-ID"] = f"<{post.id}@{self._from.rpartition('@')[2]}>"
        letter["Date"] = formatdate(localtime=False)
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no machine answers it
        letter.set_content(post.body)
        return letter


def _in_words(error: Exception) -> str:
    """What happened, without what the server said: it may repeat an address."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "the mail server does not accept the password"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"the mail server refused the address with {', '.join(map(str, codes))}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server refused with {error.smtp_code}"
    if isinstance(error, TimeoutError):
        return "no answer"
    return "cannot be reached" if isinstance(error, ConnectionError | ssl.SSLError) else type(error).__name__
