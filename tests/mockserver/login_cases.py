"""Cases up to the login: TLS, certificates, authentication plugins."""

from __future__ import annotations

from ssl import TLSVersion

from . import faults, packet
from .case import Case, case

PLAIN = packet.greeting(capabilities=packet.CAPABILITIES & ~packet.CLIENT_SSL)
TAIL = 12  # the last characters of LONG; they must not appear in any output either
LONG = "a password as long as a token is, " * 4 + "E4d0fTheT0ken"
ANY = "ALL:@SECLEVEL=0"

# The server is not verified yet: it receives SSLRequest at most, neither key nor password.
BEFORE_TLS = [
    case("no-tls-offered", "greeting", faults.reply(PLAIN), "tls", verified=False,
         last_step="greeting"),
    case("no-tls-offered-and-cleartext-password-requested", "greeting",
         faults.reply(packet.greeting(faults.CLEAR, packet.CAPABILITIES & ~packet.CLIENT_SSL)),
         "tls", "auth", verified=False, last_step="greeting"),
    case("tls-offered-then-ok-in-cleartext", "tls", faults.cleartext(packet.ok()), "tls",
         "timed_out", verified=False, last_step="tls"),
    case("tls-offered-then-error-in-cleartext", "tls",
         faults.cleartext(packet.error(1045, "go away")), "tls", "unreachable", verified=False,
         last_step="tls"),
    *[case(f"tls-offered-then-{plugin}-requested-in-cleartext", "tls",
           faults.cleartext(packet.switch(plugin)), "tls", "timed_out", verified=False,
           last_step="tls")
      for plugin in (faults.CLEAR, "dialog", "caching_sha2_password", "mysql_native_password")],
    case("tls-offered-then-file-requested-in-cleartext", "tls", faults.request_local_file(),
         "tls", "timed_out", "unreachable", verified=False, last_step="tls"),
    case("answers-with-http", "tls", faults.not_tls, "tls", verified=False, last_step="tls"),
    case("packet-injected-before-tls", "tls", faults.inject_before_tls, "tls", verified=False),
    case("closes-instead-of-tls", "tls", faults.close, "tls", "unreachable", verified=False),
    case("resets-instead-of-tls", "tls", faults.reset, "tls", "unreachable", verified=False),
    case("silent-instead-of-tls", "tls", faults.silence, "timed_out", verified=False),
    case("silent-after-accept", "accept", faults.silence, "timed_out", verified=False),
    case("closes-after-accept", "accept", faults.close, "unreachable", verified=False),
    case("garbage-instead-of-tls", "tls", faults.garbage, "tls", verified=False),
    case("protocol-9", "greeting", faults.reply(packet.greeting(protocol=9)), "unreachable",
         verified=False),
    case("greeting-endless", "greeting", faults.reply(b"\x0a" + b"8" * 200), "unreachable",
         "tls", "auth", verified=False),
    *[case(f"greets-with-error-{code}", "greeting",
           faults.reply(packet.error_before_login(code, "from an unverified server")),
           "unreachable", "tls", verified=False)
      for code in (1040, 1045, 1129, 1130, 1152, 1203, 1226, 3159)],
]


def _certificate(identity: str, **more) -> Case:
    return Case(f"certificate-{identity}", {}, {"tls"}, identity=identity, verified=False,
                **more)


CERTIFICATES = [
    _certificate("unknown-authority"),
    _certificate("same-name-authority"),
    _certificate("client-authority"),
    _certificate("self-signed"),
    _certificate("expired"),
    _certificate("not-yet-valid"),
    _certificate("wrong-host"),
    _certificate("longer-name"),
    _certificate("client-purpose"),
    # Without an alternative name OpenSSL uses the common name; the authority is in server-ca.
    Case("certificate-with-the-name-as-common-name", {}, {"imported"}, identity="common-name"),
    Case("certificate-of-the-address", {}, {"imported"}, settings={"host": "127.0.0.1"}),
    Case("certificate-of-another-address", {}, {"tls"}, identity="wrong-host",
         verified=False, settings={"host": "127.0.0.1"}),
    Case("certificate-and-the-trust-store", {}, {"tls"}, verified=False,
         settings={"server-ca": ""}),
]

VERSIONS = [
    case("only-tls-1.0", "tls", faults.version(TLSVersion.TLSv1, TLSVersion.TLSv1, ANY), "tls",
         verified=False),
    case("only-tls-1.1", "tls", faults.version(TLSVersion.TLSv1_1, TLSVersion.TLSv1_1, ANY), "tls",
         verified=False),
    case("only-tls-1.2", "tls", faults.version(TLSVersion.TLSv1_2, TLSVersion.TLSv1_2), "imported"),
    case("only-tls-1.3", "tls", faults.version(TLSVersion.TLSv1_3, TLSVersion.TLSv1_3), "imported"),
    case("only-ciphers-without-authentication", "tls",
         faults.version(TLSVersion.TLSv1_2, TLSVersion.TLSv1_2, "aNULL:@SECLEVEL=0"), "tls",
         verified=False),
    case("only-ciphers-without-encryption", "tls",
         faults.version(TLSVersion.TLSv1_2, TLSVersion.TLSv1_2, "eNULL:@SECLEVEL=0"), "tls",
         verified=False),
]

REFUSED_PLUGINS = (faults.CLEAR, "dialog", "client_ed25519", "sha256_password",
                   "auth_gssapi_client", "no_such_plugin", "../../../tmp/plugin",
                   "mysql_old_password")

LOGINS = [
    case("good", "", faults.silence, "imported", last_step="status"),
    *[case(f"switch-to-{plugin.replace('/', '_') or 'nothing'}", "login",
           faults.switch_to(plugin), "auth", last_step="login") for plugin in REFUSED_PLUGINS],
    # libmariadb searches the text of the list of allowed plugins for the name, finds this part of
    # it, and there is no such plugin file.
    *[case(f"switch-to-a-part-of-the-list-{i}", "login", faults.switch_to(part), "auth", "tls",
           last_step="login") for i, part in enumerate(("", "native", ",", "password"))],
    *[case(f"greets-with-{plugin}", "greeting", faults.reply(packet.greeting(plugin)),
           "auth") for plugin in (faults.CLEAR, "dialog", "client_ed25519")],
    case("old-switch-without-a-name", "login", faults.reply(b"\xfe"), "auth", "unreachable",
         last_step="login"),
    case("switch-twice-and-then-clear", "login", faults.switch_twice, "auth", last_step="login"),
    case("switch-to-native", "login", faults.native_by_switch, "imported"),
    case("sha2-fast", "login", faults.sha2_fast, "imported"),
    case("sha2-full", "login", faults.sha2_full, "imported", sends_password=True),
    case("sha2-full-and-an-error-that-echoes", "login", faults.echo_password, "auth", errno=1045,
         sends_password=True, last_step="login"),
    case("sha2-full-and-an-error-that-echoes-a-long-password", "login", faults.echo_password,
         "auth",
         errno=1045, sends_password=True, last_step="login", password=LONG),
    case("sha2-full-endless", "login", faults.request_password_repeatedly, "auth", "unreachable",
         "timed_out", sends_password=True, last_step="login"),
    case("sha2-full-and-then-a-switch", "login", faults.switch_after_password, "auth",
         "unreachable", sends_password=True, last_step="login"),
    case("sha2-full-and-then-a-switch-with-a-long-password", "login",
         faults.switch_after_password, "auth", sends_password=True, last_step="login",
         password=LONG),
    case("sha2-full-after-an-unknown-status", "login", faults.sha2_unknown_status, "auth",
         "unreachable",
         last_step="login"),
    *[case(f"login-error-{code}", "login", faults.reply(packet.error(code)), outcome, errno=code,
           last_step="login")
      for code, outcome in ((1040, "unreachable"), (1044, "auth"), (1045, "auth"),
                            (1129, "unreachable"), (1130, "auth"), (1203, "unreachable"),
                            (1226, "unreachable"), (1698, "auth"), (1820, "auth"), (1862, "auth"),
                            (3118, "auth"), (3159, "unreachable"), (4151, "auth"))],
    case("login-refused-with-a-text-about-time-outs", "login",
         faults.reply(packet.error(1045, "Access denied for user 'timed out (110)'", "28000")),
         "auth", errno=1045),
    case("login-then-file-requested", "login", faults.request_local_file(), "auth",
         "unreachable", last_step="login"),
    case("cleartext-injected-into-tls", "login", faults.cleartext_inside_tls, "tls", "unreachable",
         last_step="login"),
]
