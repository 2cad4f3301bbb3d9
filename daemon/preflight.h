#pragma once

/*
 * Preflight: the one look at the server before the key leaves (design 8), in one round trip:
 * writer or reader, and the logs that would keep the CALL with the key in it.
 *
 * A variable that a server does not have is simply not in its answer.
 */

#include "daemon/session.h"

typedef struct Preflight {
        bool reader;
        bool logs_slow;      /* the slow log is on: the session has to raise its threshold */
        char keeps_call[96]; /* names the setting that would keep the statement; "": none */
} Preflight;

SessionFault preflight_look(Preflight *ret, Session *session, SessionError *ret_error);
