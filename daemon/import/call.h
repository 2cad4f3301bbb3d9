#pragma once

/*
 * Call: the CALL of the import procedure, and the two forms of its payload.
 *
 * The inspector writes the payload in its strict form, valid JSON with every line end as the two
 * characters \n. The raw form, with line feeds within the strings, is made from it immediately
 * before the CALL; only the raw form has public proof (doc/aurora.md, "Payload").
 */

#include <stddef.h>

#include "common/secret.h"
#include "daemon/config/config.h"
#include "daemon/model/outcome.h"
#include "daemon/mysql/session.h"

typedef struct CallPayload {
        const char *data; /* the strict form */
        size_t size;
        Newlines newlines; /* the form that worked before; NEWLINES_AUTO: not known */
} CallPayload;

/* Calls the procedure. `configured` is payload-newlines: with NEWLINES_AUTO the form that worked
 * before, or the raw one, is sent first, and the other one if the server's error can concern the
 * form. */
void call_import(Outcome *ret, Session *session, const CallPayload *payload, Newlines configured);

/* Makes the raw form from the strict one. -ENOMEM. */
int call_payload_raw(Secret *ret, const char *strict, size_t size);

/* Maps the strict form in a sealed memfd, and keeps it out of core dumps. A negative errno. */
int call_payload_map(CallPayload *ret, int fd);
void call_payload_unmap(CallPayload *payload);

/* Reads the PEM text of each file, which the caller owns. -EBADMSG: one is missing. -ENOMEM. After
 * an error there is none. */
int call_payload_files(Secret ret[static _MATERIAL_FILE_MAX], const CallPayload *payload);

/* Returns the bytes of the packet with the payload, in the form that call_import() sends first. */
size_t call_packet_size(const CallPayload *payload, Newlines configured);

/* Returns the offset of `ssl_key` in the raw form, the shorter one of the two; 0: not found. */
size_t call_key_offset(const char *strict, size_t size);
