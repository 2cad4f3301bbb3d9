"""Cases up to the login: TLS, certificates, and ways to ask for a password."""

from __future__ import annotations

from ssl import TLSVersion

from . import deed, packet
from .case import Case, case

PLAIN = packet.greeting(capabilities=packet.CAPABILITIES & ~packet.CLIENT_SSL)
TAIL = 12  # of the long password, which gives it away
LONG = "a password as long as a token is, " * 4 + "E4d0fTheT0ken"
ANY = "ALL:@SECLEVEL=0"

# Nobody has been verified: only the request for TLS has been seen, and no key or password can be.
BEFORE_TLS = [
    case("no-tls-offered", "greeting", deed.says(PLAIN), "tls", verified=False, last="greeting"),
    case("no-tls-offered-and-clear-password-asked", "greeting",
         deed.says(packet.greeting(deed.CLEAR, packet.CAPABILITIES & ~packet.CLIENT_SSL)),
         "tls", "auth", verified=False, last="greeting"),
    case("tls-offered-then-ok-in-clear", "tls", deed.plain(packet.ok()), "tls", "timed_out",
         verified=False, last="tls"),
    case("tls-offered-then-error-in-clear", "tls", deed.plain(packet.error(1045, "go away")),
         "tls", "unreachable", verified=False, last="tls"),
    *[case(f"tls-offered-then-{plugin}-asked-in-clear", "tls",
           deed.plain(packet.switch(plugin)), "tls", "timed_out", verified=False, last="tls")
      for plugin in (deed.CLEAR, "dialog", "caching_sha2_password", "mysql_native_password")],
    case("tls-offered-then-file-asked-in-clear", "tls", deed.asks_for_file(),
         "tls", "timed_out", "unreachable", verified=False, last="tls"),
    case("answers-in-http", "tls", deed.not_tls, "tls", verified=False, last="tls"),
    case("packet-slipped-in-ahead-of-tls", "tls", deed.slipped_in, "tls", verified=False),
    case("closes-instead-of-tls", "tls", deed.close, "tls", "unreachable", verified=False),
    case("resets-instead-of-tls", "tls", deed.reset, "tls", "unreachable", verified=False),
    case("silent-instead-of-tls", "tls", deed.silence, "timed_out", verified=False),
    case("silent-after-accept", "accept", deed.silence, "timed_out", verified=False),
    case("closes-after-accept", "accept", deed.close, "unreachable", verified=False),
    case("garbage-instead-of-tls", "tls", deed.garbage, "tls", verified=False),
    case("protocol-9", "greeting", deed.says(packet.greeting(protocol=9)), "unreachable",
         verified=False),
    case("greeting-without-an-end", "greeting", deed.says(b"\x0a" + b"8" * 200), "unreachable",
         "tls", "auth", verified=False),
    *[case(f"greets-with-error-{code}", "greeting",
           deed.says(packet.error_before_login(code, "said by nobody known")), "unreachable", "tls",
           verified=False)
      for code in (1040, 1045, 1129, 1130, 1152, 1203, 1226, 3159)],
]


def _certificate(identity: str, **more) -> Case:
    return Case(f"certificate-{identity}", {}, {"tls"}, identity=identity, verified=False,
                **more)


CERTIFICATES = [
    _certificate("of-another-authority"),
    _certificate("of-an-authority-of-the-same-name"),
    _certificate("of-the-client-authority"),
    _certificate("signed-by-itself"),
    _certificate("expired"),
    _certificate("not-yet-valid"),
    _certificate("of-another-host"),
    _certificate("of-a-longer-name"),
    _certificate("for-clients"),
    # Without any alternative name OpenSSL falls back to the common name; the authority is ours.
    Case("certificate-with-the-name-as-common-name", {}, {"imported"}, identity="common-name"),
    Case("certificate-of-the-address", {}, {"imported"}, settings={"host": "127.0.0.1"}),
    Case("certificate-of-another-address", {}, {"tls"}, identity="of-another-host",
         verified=False, settings={"host": "127.0.0.1"}),
    Case("certificate-and-the-trust-store", {}, {"tls"}, verified=False,
         settings={"server-ca": ""}),
]

VERSIONS = [
    case("only-tls-1.0", "tls", deed.version(TLSVersion.TLSv1, TLSVersion.TLSv1, ANY), "tls",
         verified=False),
    case("only-tls-1.1", "tls", deed.version(TLSVersion.TLSv1_1, TLSVersion.TLSv1_1, ANY), "tls",
         verified=False),
    case("only-tls-1.2", "tls", deed.version(TLSVersion.TLSv1_2, TLSVersion.TLSv1_2), "imported"),
    case("only-tls-1.3", "tls", deed.version(TLSVersion.TLSv1_3, TLSVersion.TLSv1_3), "imported"),
    case("only-ciphers-without-authentication", "tls",
         deed.version(TLSVersion.TLSv1_2, TLSVersion.TLSv1_2, "aNULL:@SECLEVEL=0"), "tls",
         verified=False),
    case("only-ciphers-without-encryption", "tls",
         deed.version(TLSVersion.TLSv1_2, TLSVersion.TLSv1_2, "eNULL:@SECLEVEL=0"), "tls",
         verified=False),
]

REFUSED_PLUGINS = (deed.CLEAR, "dialog", "client_ed25519", "sha256_password", "auth_gssapi_client",
                   "no_such_plugin", "../../../tmp/plugin", "mysql_old_password")

LOGINS = [
    case("good", "", deed.silence, "imported", last="status"),
    *[case(f"switch-to-{plugin.replace('/', '_') or 'nothing'}", "login",
           deed.switch_to(plugin), "auth", last="login") for plugin in REFUSED_PLUGINS],
    # libmariadb looks for the name in the text of our list, finds it, and has no such file.
    *[case(f"switch-to-a-part-of-the-list-{i}", "login", deed.switch_to(part), "auth", "tls",
           last="login") for i, part in enumerate(("", "native", ",", "password"))],
    *[case(f"greets-with-{plugin}", "greeting", deed.says(packet.greeting(plugin)),
           "auth") for plugin in (deed.CLEAR, "dialog", "client_ed25519")],
    case("old-switch-without-a-name", "login", deed.says(b"\xfe"), "auth", "unreachable",
         last="login"),
    case("switch-twice-and-then-clear", "login", deed.switch_twice, "auth", last="login"),
    case("switch-to-native", "login", deed.native_by_switch, "imported"),
    case("sha2-fast", "login", deed.sha2_fast, "imported"),
    case("sha2-full", "login", deed.sha2_full, "imported", tells_password=True),
    case("sha2-full-and-an-error-that-echoes", "login", deed.echoes_password, "auth", errno=1045,
         tells_password=True, last="login"),
    case("sha2-full-and-an-error-that-echoes-a-long-one", "login", deed.echoes_password, "auth",
         errno=1045, tells_password=True, last="login", password=LONG),
    case("sha2-full-without-an-end", "login", deed.asks_for_more, "auth", "unreachable",
         "timed_out", tells_password=True, last="login"),
    case("sha2-full-and-then-a-switch", "login", deed.switch_after_the_password, "auth",
         "unreachable", tells_password=True, last="login"),
    case("sha2-full-and-then-a-switch-with-a-long-password", "login",
         deed.switch_after_the_password, "auth", tells_password=True, last="login",
         password=LONG),
    case("sha2-full-after-a-bad-word", "login", deed.sha2_bad_word, "auth", "unreachable",
         last="login"),
    *[case(f"login-error-{code}", "login", deed.says(packet.error(code)), outcome, errno=code,
           last="login")
      for code, outcome in ((1040, "unreachable"), (1044, "auth"), (1045, "auth"),
                            (1129, "unreachable"), (1130, "auth"), (1203, "unreachable"),
                            (1226, "unreachable"), (1698, "auth"), (1820, "auth"), (1862, "auth"),
                            (3118, "auth"), (3159, "unreachable"), (4151, "auth"))],
    case("login-refused-with-a-text-of-time-outs", "login",
         deed.says(packet.error(1045, "Access denied for user 'timed out (110)'", "28000")),
         "auth", errno=1045),
    case("login-then-file-asked", "login", deed.asks_for_file(), "auth",
         "unreachable", last="login"),
    case("plain-text-slipped-into-tls", "login", deed.plain_inside_tls, "tls", "unreachable",
         last="login"),
]
