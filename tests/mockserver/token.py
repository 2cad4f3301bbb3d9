"""Cases of tokens, which are told as they are: only inside TLS, and only where that is allowed."""

from __future__ import annotations

from dataclasses import replace

from . import deed, packet
from .case import Case, case
from .login import BEFORE_TLS, CERTIFICATES

ALLOWED = {"allow-cleartext-password": "yes"}
# The form of an IAM token, whose parts are not worth to be repeated here.
TOKEN = ("orders.cluster-abc.eu-west-1.rds.amazonaws.com:3306/?Action=connect&DBUser=ssl_importer"
         "&X-Amz-Security-Token=" + "".join(f"{number:03x}%2F" for number in range(140))
         + "&X-Amz-Signature=9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0")
LONG_DATA = packet.CLIENT_LONG_LOGIN_DATA


def _token(name: str, *deeds: tuple[str, deed.Deed], outcome: str = "imported", **more) -> Case:
    return Case(name, dict(deeds), {outcome},
                **{"password": TOKEN, "tells_password": True, "settings": ALLOWED, **more})


GREETING = ("greeting", deed.says(packet.greeting(deed.CLEAR)))
SHORT_GREETING = ("greeting", deed.says(packet.greeting(deed.CLEAR,
                                                        packet.CAPABILITIES & ~LONG_DATA)))
IN_LOGIN = ("login", deed.clear_in_login)

TOKENS = [
    _token("token-by-switch", ("login", deed.clear_by_switch)),
    _token("token-by-greeting", GREETING, IN_LOGIN),
    # Such a server is older than any Aurora; libmariadb does not even try.
    _token("token-by-greeting-of-a-server-without-long-logins", SHORT_GREETING, IN_LOGIN,
           outcome="unreachable", tells_password=False),
    _token("short-token-by-greeting-of-a-server-without-long-logins", SHORT_GREETING, IN_LOGIN,
           password=TOKEN[-100:]),
    _token("token-and-native", ("login", deed.native_by_switch), tells_password=False),
    _token("token-not-allowed", ("login", deed.clear_by_switch), outcome="auth",
           tells_password=False, settings={}),
    _token("token-not-allowed-by-greeting", GREETING, IN_LOGIN, outcome="auth",
           tells_password=False, settings={}),
    *[case(f"token-and-a-switch-to-{part}", "login", deed.switch_to(part), "auth", "tls",
           settings=ALLOWED, password=TOKEN, last="login")
      for part in ("clear", "clear_password", "mysql", "_", "dialog", "sha256_password")],
    # Whoever asks before the verification gets nothing, however much is allowed behind it.
    *[replace(case, name=f"token-{case.name}", password=TOKEN,
              settings={**case.settings, **ALLOWED})
      for case in (*BEFORE_TLS, *CERTIFICATES) if not case.verified],
    *[_token(f"token-asked-by-{identity}", GREETING, IN_LOGIN, outcome="tls", identity=identity,
             verified=False, tells_password=False)
      for identity in ("of-another-authority", "expired", "of-another-host", "signed-by-itself")],
]
