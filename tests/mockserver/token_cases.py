"""Cases of IAM tokens: they are sent as they are, only inside TLS, and only where allowed."""

from __future__ import annotations

from dataclasses import replace

from . import faults, packet
from .case import Case, case
from .conversation import Handler
from .login_cases import BEFORE_TLS, CERTIFICATES

ALLOWED = {"allow-cleartext-password": "yes"}
# A text with the form and the length of an IAM token.
TOKEN = ("orders.cluster-abc.eu-west-1.rds.amazonaws.com:3306/?Action=connect&DBUser=ssl_importer"
         "&X-Amz-Security-Token=" + "".join(f"{number:03x}%2F" for number in range(140))
         + "&X-Amz-Signature=9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0")
LONG_DATA = packet.CLIENT_LONG_LOGIN_DATA


def _token(name: str, *handlers: tuple[str, Handler], outcome: str = "imported", **more) -> Case:
    return Case(name, dict(handlers), {outcome},
                **{"password": TOKEN, "sends_password": True, "settings": ALLOWED, **more})


GREETING = ("greeting", faults.reply(packet.greeting(faults.CLEAR)))
SHORT_GREETING = ("greeting", faults.reply(packet.greeting(faults.CLEAR,
                                                           packet.CAPABILITIES & ~LONG_DATA)))
IN_LOGIN = ("login", faults.clear_in_login)

TOKENS = [
    _token("token-by-switch", ("login", faults.clear_by_switch)),
    _token("token-by-greeting", GREETING, IN_LOGIN),
    # No Aurora is so old that it lacks this capability; libmariadb sends no login then.
    _token("token-by-greeting-of-a-server-without-long-logins", SHORT_GREETING, IN_LOGIN,
           outcome="unreachable", sends_password=False),
    _token("short-token-by-greeting-of-a-server-without-long-logins", SHORT_GREETING, IN_LOGIN,
           password=TOKEN[-100:]),
    _token("token-with-native-login", ("login", faults.native_by_switch), sends_password=False),
    _token("token-not-allowed", ("login", faults.clear_by_switch), outcome="auth",
           sends_password=False, settings={}),
    _token("token-not-allowed-by-greeting", GREETING, IN_LOGIN, outcome="auth",
           sends_password=False, settings={}),
    *[case(f"token-and-a-switch-to-{part}", "login", faults.switch_to(part), "auth", "tls",
           settings=ALLOWED, password=TOKEN, last_step="login")
      for part in ("clear", "clear_password", "mysql", "_", "dialog", "sha256_password")],
    # An unverified server receives no token, whatever the settings allow.
    *[replace(case, name=f"token-{case.name}", password=TOKEN,
              settings={**case.settings, **ALLOWED})
      for case in (*BEFORE_TLS, *CERTIFICATES) if not case.verified],
    *[_token(f"token-requested-by-{identity}", GREETING, IN_LOGIN, outcome="tls", identity=identity,
             verified=False, sends_password=False)
      for identity in ("unknown-authority", "expired", "wrong-host", "self-signed")],
]
