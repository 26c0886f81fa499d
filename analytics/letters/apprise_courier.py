"""Couriers at addresses that apprise reads: mail, webhooks, robots of groups, and whatever else it knows.

What apprise does not do is done here and in ``mail.py``: mail keeps one Message-ID however often it is tried, and a
group's robot that answers 200 and an error has refused (apprise 2.3.0 takes it for sent with WeCom and DingTalk).
"""

from __future__ import annotations

import logging
import re
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx
from apprise import Apprise, AppriseAsset
from apprise.logger import logger as apprise_log

from analytics.letters.courier import ANSWER_S, CONNECT_S, Post, UndeliveredError
from analytics.letters.mail import MailCourier

if TYPE_CHECKING:
    from collections.abc import Callable

    from analytics.letters.courier import Courier

IDEMPOTENCY = "Idempotency-Key"
"""draft-ietf-httpapi-idempotency-key-header-07: a receiver that knows the key has the letter already."""

MOST_BYTES = 2048
"""WeCom takes no more of a text; the others take more."""

_PLUGINS = {
    **dict.fromkeys(("mailto", "mailtos"), ("email", "NotifyEmail")),
    **dict.fromkeys(("json", "jsons"), ("custom_json", "NotifyJSON")),
    **dict.fromkeys(("ntfy", "ntfys"), ("ntfy", "NotifyNtfy")),
    "wecombot": ("wecombot", "NotifyWeComBot"),
    "dingtalk": ("dingtalk", "NotifyDingTalk"),
    "feishu": ("feishu", "NotifyFeishu"),
}

_ANSWERED = re.compile(r"error=(\d{3})")
_NOT_BEGUN = re.compile(r"NewConnectionError|ConnectTimeout|NameResolutionError|CERTIFICATE_VERIFY_FAILED|refused")

apprise_log.propagate = False  # it would write addresses and letters into our log
apprise_log.setLevel(logging.DEBUG)
apprise_log.addHandler(logging.NullHandler())


def courier_at(url: str) -> Courier | None:
    """The courier at an address; None for one that apprise does not know."""
    plugin = _plugin_at(url)
    if plugin is None:
        return None
    plugin.socket_connect_timeout, plugin.socket_read_timeout = CONNECT_S, ANSWER_S
    kind = type(plugin).__name__
    if kind == "NotifyEmail":
        return MailCourier(plugin)
    return RobotCourier(plugin) if kind in ROBOTS else AppriseCourier(plugin)


def _plugin_at(url: str) -> Any:
    """The plugin of an address; what is used most is loaded alone, for all 189 plugins take seconds to load."""
    asset = AppriseAsset(app_id="Meterhouse")
    schema = url.partition("://")[0].lower()
    if schema not in _PLUGINS:
        return Apprise.instantiate(url, asset=asset)
    module, name = _PLUGINS[schema]
    plugin = getattr(import_module(f"apprise.plugins.{module}"), name)
    parsed = plugin.parse_url(url)
    try:
        return plugin(**parsed, asset=asset) if parsed else None
    except (TypeError, ValueError):  # as apprise says that a part of an address is missing
        return None


class AppriseCourier:
    """Whatever apprise speaks to; a JSON webhook is told the letter's id, and the address as ``to``."""

    def __init__(self, plugin: Any) -> None:
        self._plugin = plugin
        self.takes_address = hasattr(plugin, "payload_extras")

    def deliver(self, post: Post) -> None:
        """One attempt; the courier's own thread alone calls it."""
        if hasattr(self._plugin, "headers"):
            self._plugin.headers[IDEMPOTENCY] = post.id
        if self.takes_address and post.address:
            self._plugin.payload_extras["to"] = post.address
        heard = _Overheard()
        apprise_log.addHandler(heard)
        try:
            is_taken = self._plugin.notify(body=post.body, title=post.subject)
        finally:
            apprise_log.removeHandler(heard)
        if not is_taken:
            raise heard.as_error()


class _Overheard(logging.Handler):
    """What apprise says of an attempt in this thread: it answers True or False, and why only its log tells."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._thread = threading.get_ident()
        self._said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it for this attempt alone."""
        if record.thread == self._thread:
            self._said.append(record.getMessage())

    def as_error(self) -> UndeliveredError:
        """Why it failed, without a word of theirs: there may be an address in it."""
        said = "\n".join(self._said)
        if answered := _ANSWERED.search(said):
            return UndeliveredError(f"the answer was {answered[1]}", may_have_arrived=False)
        if _NOT_BEGUN.search(said):
            return UndeliveredError("cannot be reached", may_have_arrived=False)
        return UndeliveredError("no answer", may_have_arrived=True)


class RobotCourier:
    """A group's robot: it answers 200 whatever happens, and a code other than 0 where it has refused."""

    takes_address = False

    def __init__(self, plugin: Any) -> None:
        self._plugin, self._ask = plugin, ROBOTS[type(plugin).__name__]

    def deliver(self, post: Post) -> None:
        """One attempt."""
        text = f"{post.subject}\n{post.body}".encode()[:MOST_BYTES].decode(errors="ignore")
        url, params, body = self._ask(self._plugin, text)
        timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
        try:
            answer = httpx.post(url, params=params, json=body, timeout=timeout, verify=self._plugin.verify_certificate)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise UndeliveredError("cannot be reached", may_have_arrived=False) from None
        except httpx.HTTPError:
            raise UndeliveredError("no answer", may_have_arrived=True) from None
        if answer.status_code != httpx.codes.OK:
            raise UndeliveredError(f"the answer was {answer.status_code}", may_have_arrived=False)
        if code := _code_of(answer):
            raise UndeliveredError(f"the robot refused with code {code}", may_have_arrived=False)


def _code_of(answer: httpx.Response) -> int:
    try:
        said = answer.json()
    except ValueError:
        return 0
    code = (said.get("errcode") or said.get("code") or 0) if isinstance(said, dict) else 0
    return code if isinstance(code, int) else -1


def _wecom(plugin: Any, text: str) -> tuple[str, dict[str, str], dict[str, Any]]:
    return plugin.api_url, {}, {"msgtype": "text", "text": {"content": text}}


def _dingtalk(plugin: Any, text: str) -> tuple[str, dict[str, str], dict[str, Any]]:
    params = dict(zip(("timestamp", "sign"), plugin.get_signature(), strict=True)) if plugin.secret else {}
    at = {"atMobiles": plugin.targets, "isAtAll": False}
    url = plugin.notify_url.format(token=plugin.token)
    return url, params, {"msgtype": "text", "text": {"content": text}, "at": at}


def _feishu(plugin: Any, text: str) -> tuple[str, dict[str, str], dict[str, Any]]:
    return plugin.notify_url.format(token=plugin.token), {}, {"msg_type": "text", "content": {"text": text}}


ROBOTS: dict[str, Callable[[Any, str], tuple[str, dict[str, str], dict[str, Any]]]] = {
    "NotifyWeComBot": _wecom,
    "NotifyDingTalk": _dingtalk,
    "NotifyFeishu": _feishu,
}
"""How each is asked, by the pages of their makers: WeCom developer.work.weixin.qq.com/document/path/91770,
DingTalk open.dingtalk.com/document/robots/custom-robot-access, Feishu open.feishu.cn/document/client-docs/bot-v3.
"""
