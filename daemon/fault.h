#pragma once

/*
 * Fault: how what a session met reads as an outcome, and what a person can do about it.
 *
 * The numbers are those of MySQL's server error reference; what they come to is design 8.
 */

#include "daemon/outcome.h"
#include "daemon/session.h"

/* `sent`: the payload may have left, as session_call() says it; then nobody knows what a broken
 * connection came to. */
void fault_take(Outcome *ret, SessionFault fault, const SessionError *error, bool sent);

/* Give the outcome the statement that grants what the server's number says is missing, if it does;
 * who one is there costs a round trip, and only then. */
void fault_advise_procedure(Outcome *ret, Session *session, const char *procedure);
void fault_advise_status(Outcome *ret, Session *session);
void fault_advise_table(Outcome *ret, Session *session, const char *table);
