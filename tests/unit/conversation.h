#pragma once

/*
 * Conversation: a Varlink server on its own socket and clients in the same process. A function that
 * waits for the server runs the server's event loop.
 */

#include <stddef.h>

#include "daemon/varlink/server.h"

/* For cmocka: a scratch directory with a server that listens on a socket in it. */
int conversation_make(void **state);
int conversation_remove(void **state);

const char *conversation_path(void);

/* Returns a connected, non-blocking descriptor. */
int conversation_connect(void);

void conversation_send(int fd, const void *data, size_t size);

/* Runs the server's event loop until no event is pending. */
void conversation_settle(void);

/* Returns the next message without its NUL, valid until the next call; NULL: the server closed the
 * connection. */
const char *conversation_receive(int fd);

/* Sends a text with its NUL and expects that answer, or with NULL the end of the connection. */
void conversation_expect(int fd, const char *call, const char *answer);

/* Expects that no message arrives and that the connection stays open. */
void conversation_expect_silence(int fd);

Server *conversation_server(void);

/* The number of calls of the handler. It answers {"n":<number of the call>}, Stream with {"n":0} as
 * the first of many replies, and Who with the user of the client. */
unsigned conversation_n_calls(void);

/* Makes the handler answer every call with a text of `size` bytes instead. */
void conversation_answer_large(size_t size);
