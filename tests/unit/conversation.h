#pragma once

/*
 * Conversation: a server on a socket of its own and clients that talk to it, in one process. What
 * a client waits for runs the server's loop meanwhile.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/varlink/server.h"

/* For cmocka: a scratch directory with a server that listens in it. */
int conversation_make(void **state);
int conversation_remove(void **state);

const char *conversation_path(void);

/* A connected descriptor. */
int conversation_connect(void);

void conversation_send(int fd, const void *data, size_t size);

/* Lets the server handle all that lies before it. */
void conversation_settle(void);

/* The next message without its NUL, good until the next call; NULL: the server hung up. */
const char *conversation_receive(int fd);

/* Sends a text with its NUL and expects that answer, or NULL for a hang-up. */
void conversation_expect(int fd, const char *call, const char *answer);

/* Nothing comes, and the connection stands. */
void conversation_expect_silence(int fd);

Server *conversation_server(void);

/* What the handler was called with since the start; it answers {"n":<number of the call>}, a
 * Stream with {"n":0} as the first of many, and Who with what it knows of the client. */
unsigned conversation_n_calls(void);

/* The handler answers every call with a text of that many bytes instead. */
void conversation_answer_large(size_t size);
