"""Cases after the login: the look at the server, the CALL, the status of replication."""

from __future__ import annotations

from collections.abc import Iterator

from . import deed, packet
from .case import Case, case
from .conversation import VARIABLES, Deed

LOST = {"greeting": "unreachable", "login": "unreachable", "look": "unreachable",
        "prepare": "unreachable", "call": "unknown", "status": "imported"}
LATE = {step: "timed_out" for step in LOST} | {"call": "unknown", "status": "imported"}

# Breaks that make sense at every step that has packets, and whether they end by the clock.
BREAKS: dict[str, tuple[Deed, bool]] = {
    "silent": (deed.silence, True),
    "closes": (deed.close, False),
    "resets": (deed.reset, False),
    "half-and-silent": (deed.half, True),
    "half-and-closes": (deed.half_then_close, False),
    "huge-header-and-silent": (deed.huge_header, True),
    "trickles": (deed.trickle, True),
    "garbage": (deed.garbage, False),
    "garbage-in-packets": (deed.framed_garbage, False),
    "empty-packet": (deed.empty, False),
    "wrong-sequence": (deed.wrong_sequence, False),
}


def broken() -> Iterator[Case]:
    for step, lost in LOST.items():
        for name, (how, by_clock) in BREAKS.items():
            # What cannot be understood may end in either way: by what it says, or by waiting on.
            # TLS has no number of its own for a connection that ends under it.
            outcomes = {LATE[step]} if by_clock else {lost, LATE[step]}
            if name in ("huge-header-and-silent", "half-and-silent"):
                outcomes.add(lost)  # what libmariadb has seen may be enough for it to give up
            if step == "greeting" and name == "garbage-in-packets":
                outcomes.add("auth")  # of whatever plugin the garbage seems to name
            if name == "wrong-sequence":
                outcomes.add("imported")  # libmariadb does not count, and TLS does
            if step == "login":
                outcomes.add("tls")
            yield Case(f"{step}-{name}", {step: how}, outcomes,
                       verified=step != "greeting" or "imported" in outcomes)


# The text protocol's way, and what the CALL is answered with, which is binary.
ROW = packet.text_row(["innodb_read_only", "OFF"])
READER = packet.table(["Variable_name", "Value"], [packet.text_row(["innodb_read_only", "ON"])])
RESULT = packet.table(["Message"], [packet.binary_row(["done"])],
                      packet.AUTOCOMMIT | packet.MORE_RESULTS)
NO_ROW = RESULT[:3]



def variables(**other: str | None) -> list[bytes]:
    """The good answer, but for these; None leaves a row out."""
    values = VARIABLES | other
    return packet.table(["Variable_name", "Value"],
                        [packet.text_row([name, value]) for name, value in values.items()
                         if value is not None])


def logs(name: str, policy: str, outcome: str, last: str = "", leave: Deed | None = None,
         **other: str | None) -> Case:
    deeds = {"look": deed.says(*variables(**other)), **({"leave": leave} if leave else {})}
    return Case(f"logs-{name}-{policy}", deeds, {outcome}, last=last,
                settings={"query-log": policy})


NULL_VALUE = packet.table(["Variable_name", "Value"], [
    *(packet.text_row(row) for row in VARIABLES.items() if row[0] != "general_log"),
    packet.string(b"general_log") + b"\xfb"])
UNSAID = {name: None for name in VARIABLES}
ALLOWED = deed.says(packet.ok())

LOGS = [
    logs("general", "refuse", "refused_log", "leave", general_log="ON"),
    logs("general", "warn", "imported", general_log="1"),
    logs("general", "ignore", "imported", general_log="ON"),
    logs("general-left", "refuse", "imported", leave=ALLOWED, general_log="ON"),
    logs("general-nowhere", "refuse", "imported", general_log="ON", log_output="NONE"),
    logs("slow-left", "refuse", "imported", slow_query_log="ON"),
    logs("slow", "refuse", "refused_log", "leave", deed.says(packet.error(1227)),
         slow_query_log="1"),
    *[logs(f"leave-{name}", "ignore", outcome, "leave", how, slow_query_log="ON")
      for name, how, outcome in (("silent", deed.silence, "timed_out"),
                                 ("last-words", deed.says(packet.error(1053)), "unreachable"),
                                 ("fails", deed.says(packet.error(1927)), "unreachable"))],
    logs("audit", "refuse", "refused_log", "look", server_audit_logging="ON"),
    logs("audit-excludes", "refuse", "imported", server_audit_logging="ON",
         server_audit_excl_users="ssl_importer"),
    logs("text", "refuse", "refused_log", "look", performance_schema_max_sql_text_length="9999"),
    logs("text", "warn", "imported", performance_schema_max_sql_text_length="9999"),
    # Silence: each that every server has missing alone, all of them, and no row at all.
    *[logs(f"unsaid-{name}", policy, outcome, "look" if outcome != "imported" else "",
           **{name: None})
      for name, *outcomes in (
          ("general_log", "refused_log", "imported", "imported"),
          ("slow_query_log", "refused_log", "imported", "imported"),
          ("innodb_read_only", "not_writer", "not_writer", "not_writer"),
          ("log_output", "imported", "imported", "imported"),
          ("performance_schema", "imported", "imported", "imported"),
          ("performance_schema_max_sql_text_length", "refused_log", "imported", "imported"))
      for policy, outcome in zip(("refuse", "warn", "ignore"), outcomes, strict=True)],
    *[logs("unsaid-all", policy, outcome, "look", **UNSAID)
      for policy, outcome in (("refuse", "refused_log"), ("warn", "not_writer"),
                              ("ignore", "not_writer"))],
    case("logs-null-is-no-answer", "look", deed.says(*NULL_VALUE), "refused_log", last="look"),
]

LOOK = [
    case("look-without-a-table", "look", deed.says(packet.ok()), "refused_log", last="look"),
    case("look-reader", "look", deed.says(*READER), "not_writer", last="look"),
    case("look-asks-for-a-file", "look", deed.asks_for_file(), "timed_out",
         "unreachable", last="look"),
    case("look-error-after-a-row", "look", deed.says(*READER[:4], ROW, packet.error(1317)),
         "rejected", errno=1317, last="look"),
    case("look-error-instead-of-columns", "look", deed.says(packet.number(2), packet.error(1317)),
         "rejected", errno=1317, last="look"),
    *[case(f"look-error-{code}", "look", deed.says(packet.error(code)), outcome, errno=code,
           last="look")
      for code, outcome in ((1142, "rejected"), (1227, "rejected"), (1290, "not_writer"),
                            (1836, "not_writer"), (1053, "unreachable"), (1927, "unreachable"))],
]

PREPARE = [
    case("prepare-ok-instead-of-a-statement", "prepare", deed.says(packet.ok()), "timed_out",
         "unreachable", last="prepare"),
    case("prepare-without-a-parameter", "prepare", deed.says(*packet.prepared(0)),
         "unreachable", last="prepare"),
    *[case(f"prepare-with-{n}-parameters", "prepare", deed.says(*packet.prepared(n)),
           "unreachable", last="prepare") for n in (2, 9000)],
    case("prepare-with-parameters-that-do-not-come", "prepare",
         deed.says(packet.prepared()[0][:7] + b"\xff\xff\0\0\0"), "timed_out"),
    case("prepare-asks-for-a-file", "prepare", deed.asks_for_file(), "timed_out",
         "unreachable", last="prepare"),
    *[case(f"prepare-error-{code}", "prepare", deed.says(packet.error(code)), outcome, errno=code,
           last="prepare")
      for code, outcome in ((1305, "no_procedure"), (1370, "no_privilege"), (1290, "not_writer"),
                            (1461, "rejected"), (1047, "rejected"), (1053, "unreachable"))],
]

CALL = [
    *[case(f"call-error-{code}", "call", deed.says(packet.error(code)), outcome, errno=code,
           last="call")
      for code, outcome in ((1040, "rejected"), (1045, "rejected"), (1129, "rejected"),
                            (1290, "not_writer"), (1305, "no_procedure"), (1370, "no_privilege"),
                            (1205, "rejected"), (1213, "rejected"), (1317, "rejected"),
                            (1644, "rejected"), (1836, "not_writer"), (3140, "rejected"),
                            (3159, "rejected"), (1053, "unknown"), (1927, "unknown"))],
    case("call-ok-alone", "call", deed.says(packet.ok()), "imported"),
    case("call-ok-with-warnings", "call", deed.says(packet.ok(warnings=3)), "imported"),
    case("call-several-results", "call", deed.says(*RESULT * 3, packet.ok()), "imported"),
    case("call-result-without-a-row", "call", deed.says(*NO_ROW, RESULT[-1], packet.ok()),
         "imported"),
    case("call-error-after-a-result", "call", deed.says(*RESULT, packet.error(1644)), "rejected",
         errno=1644),
    case("call-error-after-several-results", "call", deed.says(*RESULT * 3, packet.error(1370)),
         "no_privilege", errno=1370),
    case("call-error-instead-of-the-row", "call", deed.says(*NO_ROW, packet.error(1644)),
         "rejected", errno=1644),
    case("call-error-after-the-row", "call", deed.says(*RESULT[:4], packet.error(1836)),
         "not_writer", errno=1836),
    case("call-closes-after-a-result", "call", deed.says_and_closes(*RESULT), "unknown"),
    case("call-silent-after-a-result", "call", deed.says(*RESULT), "unknown"),
    case("call-closes-instead-of-the-row", "call", deed.says_and_closes(*NO_ROW), "unknown"),
    case("call-asks-for-a-file", "call", deed.asks_for_file(), "unknown"),
    case("call-asks-for-a-file-after-a-result", "call",
         deed.asks_for_file(*RESULT), "unknown"),
    case("call-value-longer-than-its-row", "call",
         deed.says(*NO_ROW, b"\0\0\xfd\xff\xff\xff" + b"x", RESULT[-1], packet.ok()), "unknown",
         "imported"),
    case("call-progress-without-an-end", "call", deed.progress, "unknown"),
    # A server that was told the key and repeats it: as a whole, in part, cut by its own length.
    *[case(f"call-error-{code}-that-echoes-{name}", "call", deed.echoes(code, part), outcome, errno=code,
           last="call")
      for code, outcome in ((1644, "rejected"), (1064, "rejected"))
      for name, part in (("all", slice(None)), ("the-key", slice(-1700, None)),
                         ("a-line", slice(-1000, -960)), ("the-end", slice(-90, None)),
                         ("a-part-that-is-cut", slice(-1200, -700)))],
    case("look-progress-without-an-end", "look", deed.progress, "timed_out"),
]

STATUS = [
    case("status-error-that-echoes-the-key", "status", deed.echoes(1227, slice(-1000, -800)),
         "imported"),
    case("status-that-echoes-the-key", "status", deed.echoes_in_a_row, "imported"),
    case("status-error", "status", deed.says(packet.error(1227)), "imported"),
    case("status-ok-without-a-table", "status", deed.says(packet.ok()), "imported"),
    case("status-asks-for-a-file", "status", deed.asks_for_file(), "imported"),
]
