"""Cases after the login: the server variables, the CALL, the status of replication."""

from __future__ import annotations

from collections.abc import Iterator

from . import faults, packet
from .case import Case, case
from .conversation import VARIABLES, Handler

LOST = {"greeting": "unreachable", "login": "unreachable", "variables": "unreachable",
        "prepare": "unreachable", "call": "unknown", "status": "imported"}
LATE = {step: "timed_out" for step in LOST} | {"call": "unknown", "status": "imported"}

# Faults for every step that has payloads; True: the client ends at its time limit.
FAULTS: dict[str, tuple[Handler, bool]] = {
    "silent": (faults.silence, True),
    "closes": (faults.close, False),
    "resets": (faults.reset, False),
    "half-and-silent": (faults.truncate, True),
    "half-and-closes": (faults.truncate_and_close, False),
    "huge-header-and-silent": (faults.huge_header, True),
    "trickles": (faults.trickle, True),
    "garbage": (faults.garbage, False),
    "garbage-in-packets": (faults.framed_garbage, False),
    "empty-packet": (faults.empty, False),
    "wrong-sequence": (faults.wrong_sequence, False),
}


def faults_at_each_step() -> Iterator[Case]:
    for step, lost in LOST.items():
        for name, (how, by_clock) in FAULTS.items():
            # Invalid data ends in either way: by an error, or by waiting for the rest. libmariadb
            # has no error number of its own for a connection that ends inside TLS.
            outcomes = {LATE[step]} if by_clock else {lost, LATE[step]}
            if name in ("huge-header-and-silent", "half-and-silent"):
                outcomes.add(lost)  # libmariadb may give up before the time limit
            if step == "greeting" and name == "garbage-in-packets":
                outcomes.add("auth")  # if the garbage reads as the name of a plugin
            if name == "wrong-sequence":
                outcomes.add("imported")  # libmariadb ignores the sequence; TLS protects the order
            if step == "login":
                outcomes.add("tls")
            yield Case(f"{step}-{name}", {step: how}, outcomes,
                       verified=step != "greeting" or "imported" in outcomes)


# Rows of the text protocol; the answer to the CALL (RESULT) is of the binary protocol.
ROW = packet.text_row(["innodb_read_only", "OFF"])
READER = packet.table(["Variable_name", "Value"], [packet.text_row(["innodb_read_only", "ON"])])
RESULT = packet.table(["Message"], [packet.binary_row(["done"])],
                      packet.AUTOCOMMIT | packet.MORE_RESULTS)
NO_ROW = RESULT[:3]


def variables(**other: str | None) -> list[bytes]:
    """The correct answer with these values replaced; None omits the row."""
    values = VARIABLES | other
    return packet.table(["Variable_name", "Value"],
                        [packet.text_row([name, value]) for name, value in values.items()
                         if value is not None])


def logs(name: str, policy: str, outcome: str, last: str = "", log_off: Handler | None = None,
         privileges: Handler | None = None, **other: str | None) -> Case:
    handlers = {"variables": faults.reply(*variables(**other))}
    if log_off:
        handlers["log-off"] = log_off
    if privileges:
        handlers["privileges"] = privileges
    return Case(f"logs-{name}-{policy}", handlers, {outcome}, last_step=last,
                settings={"query-log": policy})


NULL_VALUE = packet.table(["Variable_name", "Value"], [
    *(packet.text_row(row) for row in VARIABLES.items() if row[0] != "general_log"),
    packet.string(b"general_log") + b"\xfb"])
MISSING = {name: None for name in VARIABLES}
ALLOWED = faults.reply(packet.ok())

LOG_CASES = [
    logs("general", "refuse", "refused_log", "log-off", general_log="ON"),
    logs("general", "warn", "imported", general_log="1"),
    logs("general", "ignore", "imported", general_log="ON"),
    logs("general-left", "refuse", "imported", log_off=ALLOWED, general_log="ON"),
    *[logs(f"general-left-{name}", "refuse", outcome, "privileges", ALLOWED, how, general_log="ON")
      for name, how, outcome in (
          ("without-effect", faults.reply(*packet.table(["1"], [])), "refused_log"),
          ("perhaps", faults.reply(packet.error(1142)), "refused_log"),
          ("silent", faults.silence, "timed_out"))],
    logs("general-nowhere", "refuse", "imported", general_log="ON", log_output="NONE"),
    logs("slow-left", "refuse", "imported", slow_query_log="ON"),
    *[logs(f"slow-without-index-{name}", "refuse", outcome, last, how, slow_query_log="ON",
           log_queries_not_using_indexes=value)
      for name, value, how, outcome, last in (("on", "ON", None, "refused_log", "log-off"),
                                              ("unknown", None, None, "refused_log", "log-off"),
                                              ("left", "ON", ALLOWED, "imported", ""))],
    logs("slow", "refuse", "refused_log", "log-off", faults.reply(packet.error(1227)),
         slow_query_log="1"),
    *[logs(f"log-off-{name}", "ignore", outcome, "log-off", how, slow_query_log="ON")
      for name, how, outcome in (("silent", faults.silence, "timed_out"),
                                 ("last-words", faults.reply(packet.error(1053)), "unreachable"),
                                 ("fails", faults.reply(packet.error(1927)), "unreachable"))],
    logs("audit", "refuse", "refused_log", "variables", server_audit_logging="ON"),
    logs("audit-excludes", "refuse", "imported", server_audit_logging="ON",
         server_audit_excl_users="ssl_importer"),
    logs("text", "refuse", "refused_log", "variables",
         performance_schema_max_sql_text_length="9999"),
    logs("text", "warn", "imported", performance_schema_max_sql_text_length="9999"),
    # Each variable missing alone, and all of them missing.
    *[logs(f"missing-{name}", policy, outcome, "variables" if outcome != "imported" else "",
           **{name: None})
      for name, *outcomes in (
          ("general_log", "refused_log", "imported", "imported"),
          ("slow_query_log", "refused_log", "imported", "imported"),
          ("innodb_read_only", "not_writer", "not_writer", "not_writer"),
          ("log_output", "imported", "imported", "imported"),
          ("performance_schema", "imported", "imported", "imported"),
          ("performance_schema_max_sql_text_length", "refused_log", "imported", "imported"))
      for policy, outcome in zip(("refuse", "warn", "ignore"), outcomes, strict=True)],
    *[logs("missing-all", policy, outcome, "variables", **MISSING)
      for policy, outcome in (("refuse", "refused_log"), ("warn", "not_writer"),
                              ("ignore", "not_writer"))],
    case("logs-null-value", "variables", faults.reply(*NULL_VALUE), "refused_log",
         last_step="variables"),
]

VARIABLE_CASES = [
    case("variables-without-a-table", "variables", faults.reply(packet.ok()), "refused_log",
         last_step="variables"),
    case("variables-reader", "variables", faults.reply(*READER), "not_writer",
         last_step="variables"),
    case("variables-requests-a-file", "variables", faults.request_local_file(), "timed_out",
         "unreachable", last_step="variables"),
    case("variables-error-after-a-row", "variables", faults.reply(*READER[:4], ROW,
                                                                  packet.error(1317)),
         "rejected", errno=1317, last_step="variables"),
    case("variables-error-instead-of-columns", "variables", faults.reply(packet.number(2),
                                                                         packet.error(1317)),
         "rejected", errno=1317, last_step="variables"),
    *[case(f"variables-error-{code}", "variables", faults.reply(packet.error(code)), outcome,
           errno=code,
           last_step="variables")
      for code, outcome in ((1142, "rejected"), (1227, "rejected"), (1290, "not_writer"),
                            (1836, "not_writer"), (1053, "unreachable"), (1927, "unreachable"))],
]

PREPARE_CASES = [
    case("prepare-ok-instead-of-a-statement", "prepare", faults.reply(packet.ok()), "timed_out",
         "unreachable", last_step="prepare"),
    case("prepare-without-a-parameter", "prepare", faults.reply(*packet.prepared(0)),
         "unreachable", last_step="prepare"),
    *[case(f"prepare-with-{n}-parameters", "prepare", faults.reply(*packet.prepared(n)),
           "unreachable", last_step="prepare") for n in (2, 9000)],
    case("prepare-with-parameters-that-do-not-arrive", "prepare",
         faults.reply(packet.prepared()[0][:7] + b"\xff\xff\0\0\0"), "timed_out"),
    case("prepare-requests-a-file", "prepare", faults.request_local_file(), "timed_out",
         "unreachable", last_step="prepare"),
    *[case(f"prepare-error-{code}", "prepare", faults.reply(packet.error(code)), outcome,
           errno=code,
           last_step="prepare")
      for code, outcome in ((1305, "no_procedure"), (1370, "no_privilege"), (1290, "not_writer"),
                            (1461, "rejected"), (1047, "rejected"), (1053, "unreachable"))],
]

CALL_CASES = [
    *[case(f"call-error-{code}", "call", faults.reply(packet.error(code)), outcome, errno=code,
           last_step="call")
      for code, outcome in ((1040, "rejected"), (1045, "rejected"), (1129, "rejected"),
                            (1290, "not_writer"), (1305, "no_procedure"), (1370, "no_privilege"),
                            (1205, "rejected"), (1213, "rejected"), (1317, "rejected"),
                            (1644, "rejected"), (1836, "not_writer"), (3140, "rejected"),
                            (3159, "rejected"), (1053, "unknown"), (1927, "unknown"))],
    case("call-ok-alone", "call", faults.reply(packet.ok()), "imported"),
    case("call-ok-with-warnings", "call", faults.reply(packet.ok(warnings=3)), "imported"),
    case("call-several-results", "call", faults.reply(*RESULT * 3, packet.ok()), "imported"),
    case("call-result-without-a-row", "call", faults.reply(*NO_ROW, RESULT[-1], packet.ok()),
         "imported"),
    case("call-error-after-a-result", "call", faults.reply(*RESULT, packet.error(1644)), "rejected",
         errno=1644),
    case("call-error-after-several-results", "call", faults.reply(*RESULT * 3, packet.error(1370)),
         "no_privilege", errno=1370),
    case("call-error-instead-of-the-row", "call", faults.reply(*NO_ROW, packet.error(1644)),
         "rejected", errno=1644),
    case("call-error-after-the-row", "call", faults.reply(*RESULT[:4], packet.error(1836)),
         "not_writer", errno=1836),
    case("call-closes-after-a-result", "call", faults.reply_and_close(*RESULT), "unknown"),
    case("call-silent-after-a-result", "call", faults.reply(*RESULT), "unknown"),
    case("call-closes-instead-of-the-row", "call", faults.reply_and_close(*NO_ROW), "unknown"),
    case("call-requests-a-file", "call", faults.request_local_file(), "unknown"),
    case("call-requests-a-file-after-a-result", "call",
         faults.request_local_file(*RESULT), "unknown"),
    case("call-value-longer-than-the-row", "call",
         faults.reply(*NO_ROW, b"\0\0\xfd\xff\xff\xff" + b"x", RESULT[-1], packet.ok()), "unknown",
         "imported"),
    case("call-progress-endless", "call", faults.progress_forever, "unknown"),
    # A server that received the key and repeats it: as a whole, in part, truncated.
    *[case(f"call-error-{code}-that-echoes-{name}", "call", faults.echo_in_error(code, part),
           outcome, errno=code,
           last_step="call")
      for code, outcome in ((1644, "rejected"), (1064, "rejected"))
      for name, part in (("all", slice(None)), ("the-key", slice(-1700, None)),
                         ("a-line", slice(-1000, -960)), ("the-end", slice(-90, None)),
                         ("a-part-that-is-cut", slice(-1200, -700)))],
    case("variables-progress-endless", "variables", faults.progress_forever, "timed_out"),
]

STATUS_CASES = [
    case("status-error-that-echoes-the-key", "status", faults.echo_in_error(1227, slice(-1000,
                                                                                        -800)),
         "imported"),
    case("status-that-echoes-the-key", "status", faults.echo_in_row, "imported"),
    case("status-error", "status", faults.reply(packet.error(1227)), "imported"),
    case("status-ok-without-a-table", "status", faults.reply(packet.ok()), "imported"),
    case("status-requests-a-file", "status", faults.request_local_file(), "imported"),
]
