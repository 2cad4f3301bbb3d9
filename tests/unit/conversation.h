#pragma once

/*
 * Conversation: a server and its clients in one process. The functions that wait for the server
 * run its loop.
 */

#include <stdbool.h>
#include <stddef.h>

#include "daemon/varlink/server.h"

/* For cmocka: a scratch directory with a server that listens on a socket in it. */
int conversation_make(void **state);
int conversation_remove(void **state);

/* The same with a handler of the test. */
int conversation_make_with(void **state, connection_call_fn fn, void *userdata);

const char *conversation_path(void);

/* Returns a connected, non-blocking descriptor. */
int conversation_connect(void);

void conversation_send(int fd, const void *data, size_t size);

/* Lets the server handle one pending event. Returns false if there is none. */
bool conversation_turn(void);

/* Lets the server handle all pending events. */
void conversation_settle(void);

/* Returns the next message without its NUL, valid until the next call, or NULL if the server has
 * disconnected. */
const char *conversation_receive(int fd);

/* Sends a text with its NUL and expects that answer, or NULL for the end of the connection. */
void conversation_expect(int fd, const char *call, const char *answer);

/* Expects no answer and an open connection. */
void conversation_expect_silence(int fd);

sd_event *conversation_event(void);
Server *conversation_server(void);

/* Returns the number of calls of the handler. It answers {"n":<number of the call>}, Stream with
 * {"n":0} as the first of many answers, and Who with the credentials of the client; Later is
 * postponed. */
unsigned conversation_n_calls(void);

/* Makes the handler answer each call with a text of that many bytes. */
void conversation_answer_large(size_t size);
