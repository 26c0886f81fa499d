"""The line to a Grafana: grafana-api's, with one sentence for each way in which it fails."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from grafana_api.grafana_api import GrafanaClientError, GrafanaException, GrafanaUnauthorizedError
from grafana_api.grafana_face import GrafanaFace
from requests import RequestException, TooManyRedirects

from facility.errors import ConfigError, Problem, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

    from requests import Response

MADE_FOR = 12
"""The Grafana that dashboards are made for, by the first part of its version."""

URL, TOKEN = "METERHOUSE_GRAFANA_URL", "METERHOUSE_GRAFANA_TOKEN"
ALLOWED = "http://host:3000 or https://host/path"
ANSWER_S = 30.0
_TOKEN = re.compile(r"[!-~]+")
_FORBIDDEN, _ABSENT, _CONFLICT = 403, 404, 412

Answer = Any
"""What Grafana says in JSON."""


def _parts(url: str) -> SplitResult:
    """An address taken apart. Raises ``ConfigError`` for one that is none, and repeats nothing of a password."""
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and not parts.username and parts.port != 0:
            return parts
    except ValueError:
        raise ConfigError(Problem(URL, "is no address of a Grafana", ALLOWED)) from None
    said = f"'{parts.hostname}' is" if parts.hostname else "is"
    raise ConfigError(Problem(URL, f"{said} no address of a Grafana", ALLOWED))


def _sent_on(answer: Response | None) -> str:
    """Where an answer points to, without what may be secret."""
    target = urlsplit(answer.headers.get("Location", "") if answer is not None else "")
    return f"{target.scheme}://{target.hostname}{target.path}" if target.hostname else target.path or "nowhere"


class Grafana:
    """One Grafana and one account of it. Raises ``ConfigError`` where a person must act, else ``Unavailable``."""

    def __init__(self, url: str, token: str) -> None:
        parts = _parts(url)
        if not _TOKEN.fullmatch(token):
            what = "has characters that no token has" if token else "is not set"
            raise ConfigError(Problem(TOKEN, what, "the token of a service account with the role Admin"))
        self.place = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
        self._face = GrafanaFace(token, parts.hostname, parts.port, prefix, parts.scheme, timeout=ANSWER_S)
        self._face.api.s.max_redirects = 0  # what is sent on is asked as a GET: it would be taken for done

    def read(self, path: str, what: str) -> Answer:
        """What stands at a path; None where nothing does."""
        return self._ask("GET", path, None, f"read {what}")

    def write(self, path: str, body: dict[str, Any], what: str, verb: str = "POST") -> Answer:
        """Make or change something; ``what`` says what, for the sentence if it fails."""
        return self._ask(verb, path, body, f"write {what}")

    def delete(self, path: str, what: str) -> None:
        """Take something away; nothing happens where it is not there."""
        self._ask("DELETE", path, None, f"delete {what}")

    def queried(self, queries: list[dict[str, Any]], period_ms: tuple[int, int]) -> dict[str, Any]:
        """The result of each query by its letter; one that failed holds ``error``."""
        body = {"from": str(period_ms[0]), "to": str(period_ms[1]), "queries": queries}
        found = self._ask("POST", "/ds/query", body, "run the queries of panels")
        results: dict[str, Any] = (found or {}).get("results", {})
        return results

    def check_version(self) -> str:
        """The version. Raises ``ConfigError`` for one that dashboards are not made for."""
        said = self.read("/health", "its version") or {}
        version = said.get("version") or (self.read("/frontend/settings", "its version") or {}).get("buildInfo", {})
        version = version.get("version", "") if isinstance(version, dict) else str(version)
        first = version.partition(".")[0]
        if not first.isdigit():
            raise ConfigError(
                f"{self.place} does not say which version of Grafana it is: it is no Grafana, or hides it"
            )
        if int(first) != MADE_FOR:
            age = "older" if int(first) < MADE_FOR else "newer"
            raise ConfigError(
                f"{self.place} is Grafana {version}, {age} than the {MADE_FOR}.x that dashboards are made for"
            )
        return version

    def _ask(self, verb: str, path: str, body: dict[str, Any] | None, what: str) -> Answer:
        with self._failures(what):
            try:
                return getattr(self._face.api, verb)(path, json=body)
            except GrafanaClientError as error:
                if error.status_code == _ABSENT and verb in {"GET", "DELETE"}:
                    return None
                said = error.response if isinstance(error.response, dict) else {}
                if "results" in said or said.get("status") == "ERROR":
                    return said  # of queries some failed, or a data source is ill: the answer says why
                raise

    @contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        """Turns what the libraries raise into what a person can do."""
        try:
            yield
        except GrafanaUnauthorizedError:
            raise ConfigError(Problem(TOKEN, f"{self.place} does not know this token")) from None
        except GrafanaException as error:
            raise self._refusal(error, what) from None
        except TooManyRedirects as error:
            there = _sent_on(error.response)
            raise ConfigError(
                Problem(URL, f"{self.place} sends on to {there}: say that, or how it signs in", ALLOWED)
            ) from None
        except (ValueError, TypeError):  # no JSON, or what grafana-api itself makes nothing of: a proxy's page
            raise ConfigError(Problem(URL, f"what answers at {self.place} is no Grafana", ALLOWED)) from None
        except RequestException as error:
            raise Unavailable(f"no Grafana answers at {self.place}: {type(error).__name__}") from None

    def _refusal(self, error: GrafanaException, what: str) -> Exception:
        if error.status_code == _FORBIDDEN:
            return ConfigError(Problem(TOKEN, f"may not {what}", "the token of a service account with the role Admin"))
        if error.status_code == _CONFLICT:
            return Unavailable(f"{self.place} would not {what}: somebody has just changed it; run the command again")
        said = error.response.get("message", "") if isinstance(error.response, dict) else ""
        return Unavailable(f"{self.place} would not {what}: {error.status_code} {said[:200]}".rstrip())
