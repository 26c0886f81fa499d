"""Accounts as who grants access sees them, and each person's own. Nobody changes what they themselves may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from facility.errors import Denied, Rejected
from facility.person_name import person_name
from facility.rights import Act
from stores.access.reader import NoEstateError
from stores.records.accounts.accounts import Accounts
from stores.records.accounts.grants import Grants
from stores.records.accounts.identities import Identities
from stores.records.accounts.second_factor import SecondFactor
from stores.records.accounts.sessions import Sessions
from stores.records.accounts.sign_in import SignIn
from stores.records.accounts.tokens import SECOND_FACTOR, token_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Engine

    from facility.catalogue import Catalogue
    from stores.access.scope import Rights
    from stores.records.accounts.accounts import Account
    from stores.records.accounts.grants import Grant
    from stores.records.accounts.identities import Identity
    from stores.records.accounts.sessions import Session
    from stores.records.people import People

LINK_VALID_S = 3 * 86_400.0
"""For how long a link works that an administrator hands to somebody."""

FRESH = timedelta(minutes=15)
"""So long after a link was used a first password can be set."""


class AccountBook:
    """All that is kept of accounts. Whoever holds it sees everybody, so only views do."""

    def __init__(self, records: Engine, people: People, estate: Callable[[], Catalogue | None]) -> None:
        """``estate`` is the whole of it, None while none has been applied."""
        self.people, self.estate = people, estate
        self.grants, self.accounts = Grants(records), Accounts(records)
        self.sessions, self.sign_in, self.second_factor = Sessions(records), SignIn(records), SecondFactor(records)
        self.identities = Identities(records)


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody's account, and the roles that they have now."""

    account: Account
    grants: list[Grant]


class VisiblePeople:
    """Everybody, for who may let people in. Raises ``Denied`` for anybody else, whatever is asked."""

    def __init__(self, book: AccountBook, person: str, rights: Rights) -> None:
        self._book, self._person, self._rights = book, person, rights

    @property
    def estate(self) -> Catalogue:
        """The whole estate: who gives roles names its parts, whether or not they may look at them."""
        self._granting()
        found = self._book.estate()
        if found is None:
            raise NoEstateError
        return found

    def all_of(self, at: datetime) -> list[KnownPerson]:
        """Those who may come in first."""
        self._granting()
        grants = self._book.grants.all_of()
        return [
            KnownPerson(one, [g for g in grants.get(one.name, []) if g.holds(at)])
            for one in self._book.accounts.all_of()
        ]

    def person(self, name: str, at: datetime) -> KnownPerson | None:
        """One of them."""
        return next((one for one in self.all_of(at) if one.account.name == name), None)

    def named(self, name: str, at: datetime) -> KnownPerson:
        """Somebody by their name as a person writes it. Raises ``Rejected`` where there is none."""
        found = self.person(person_name(name), at)
        if found is None:
            raise Rejected("unknown_person", name)
        return found

    def invite(self, name: str, at: datetime) -> str:
        """A link for somebody, who has an account from now on. Raises ``ConfigError`` for what nobody is called."""
        return self._book.people.invite(name, at, LINK_VALID_S, by=self._granting())

    def give(self, name: str, grant: Grant, at: datetime, *, based_on: int) -> None:
        """Give a role. ``based_on`` is the account's ``changes`` as the reader saw it; raises ``Stale``."""
        self._book.grants.give(name, grant, self._granting_to(name), at, based_on=based_on)

    def take(self, name: str, grant: int, at: datetime, *, based_on: int) -> None:
        """Take a role away."""
        self._book.grants.take(name, grant, self._granting_to(name), at, based_on=based_on)

    def close(self, name: str, at: datetime, *, hand_to: str, based_on: int) -> None:
        """Let somebody in no more."""
        self._book.accounts.close(name, self._granting_to(name), at, hand_to=hand_to, based_on=based_on)

    def sign_out(self, name: str, at: datetime) -> None:
        """End all sessions and links of somebody."""
        self._book.sessions.end_all(name, self._granting(), at)

    def forget_phone(self, name: str, at: datetime) -> None:
        """Ask somebody for no code until they set up another phone, and end what the one before opened."""
        self._book.second_factor.take_away(name, self._granting_to(name), at)

    def _granting(self) -> str:
        if not self._rights.may(Act.GRANT):
            raise Denied(f"{self._person} may not {Act.GRANT}")
        return self._person

    def _granting_to(self, name: str) -> str:
        if name == self._person:
            raise Denied(f"{name} may not change what {name} may do")
        return self._granting()


class OwnAccount:
    """One's own account: where one is signed in, and with what."""

    def __init__(self, book: AccountBook, person: str) -> None:
        self._book, self._person = book, person

    def account(self) -> Account:
        """What is kept of it."""
        found = self._book.accounts.account(self._person)
        if found is None:
            raise Rejected("unknown_person", self._person)
        return found

    def grants(self, at: datetime) -> list[Grant]:
        """One's roles."""
        return self._book.grants.of(self._person, at)

    def sessions(self, at: datetime) -> list[Session]:
        """Where one is signed in."""
        return self._book.sessions.of(self._person, at)

    def codes_left(self) -> int:
        """Recovery codes that were not used."""
        return self._book.second_factor.codes_left(self._person)

    def end_session(self, session: str, at: datetime) -> None:
        """Sign oneself out somewhere. Raises ``Rejected`` where it is none of one's own."""
        self._book.sessions.end(self._person, session, at)

    def end_others(self, session: str, at: datetime) -> None:
        """Sign oneself out everywhere but in the session with this token."""
        self._book.sessions.end_all(self._person, self._person, at, but=token_id(session))

    def set_password(self, before: str, password: str, session: str, at: datetime) -> None:
        """Change one's password, and end all other sessions. Raises ``Denied`` where the one before is wrong."""
        self._prove(before, session, at)
        self._book.sign_in.set_password(self._person, password, at)
        self.end_others(session, at)

    def identities(self) -> list[Identity]:
        """Accounts of the site's provider by which one signs in."""
        return self._book.identities.of(self._person)

    def check_may_match(self, before: str, session: str, at: datetime) -> None:
        """Raise ``Denied`` for a wrong password: whoever finds the browser open opens no way in of their own."""
        self._prove(before, session, at)

    def match(self, one: Identity, at: datetime) -> None:
        """Sign in by this one from now on. Raises ``Rejected`` where it is somebody else's here."""
        self._book.identities.match(self._person, one, self._person, at)

    def forget_identities(self, at: datetime) -> None:
        """Sign in by none any more."""
        self._book.identities.forget(self._person, self._person, at)

    def new_phone(self) -> tuple[str, str]:
        """A secret for a phone, and the address that a QR code of it shows; nothing is kept yet."""
        secret = self._book.second_factor.new_secret()
        return secret, self._book.second_factor.address_of(secret, self._person)

    def phone_address(self, secret: str) -> str:
        """The address of a secret that was made before."""
        return self._book.second_factor.address_of(secret, self._person)

    def set_phone(self, before: str, secret: str, code: str, session: str, at: datetime) -> list[str]:
        """Ask for codes of this phone from now on, and end all other sessions; the recovery codes.

        Raises ``Denied`` for a wrong password, and where the phone before has shown no code in this session.
        """
        if self.account().has_second_factor and not self._is_proved(session, at):
            raise Denied("another phone is set up once this one, or a recovery code, was shown")
        self._prove(before, session, at)
        codes = self._book.second_factor.set_up(self._person, secret, code, at, token_id(session))
        self.end_others(session, at)
        return codes

    def show_code(self, code: str, session: str, at: datetime) -> bool:
        """Whether this is a code of the phone, or for when it is lost; then the session is as good as by one."""
        return self._book.sign_in.show_code(self._person, code, token_id(session), at)

    def _prove(self, password: str, session: str, at: datetime) -> None:
        """Whoever finds the browser open cannot take the account over: the password is asked for once there is one.

        Who has none yet came by a link, and that a short while ago.
        """
        if self.account().has_password:
            if not self._book.sign_in.is_password(self._person, password, at):
                raise Denied("the password is not right")
            return
        here = self._here(session, at)
        if here is None or here.begun_at is None or at - here.begun_at > FRESH:
            raise Denied("this needs a link that was used a short while ago")

    def _is_proved(self, session: str, at: datetime) -> bool:
        here = self._here(session, at)
        return here is not None and here.proof == SECOND_FACTOR

    def _here(self, session: str, at: datetime) -> Session | None:
        return next((one for one in self.sessions(at) if one.id == token_id(session)), None)
