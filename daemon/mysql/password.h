#pragma once

/*
 * Password: reads the password, or token, of a login.
 *
 * The source is a file, a credential of systemd or the output of a command. It holds one line,
 * whose end is not part of the password, or a JSON object that has it as a member. An error never
 * quotes any of the text.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/secret.h"
#include "daemon/config/config.h"

#define PASSWORD_MAX (64 * 1024) /* bytes; a token of IAM has one to two thousand */

/* A command is killed after `timeout_usec`. Returns false if there is no password; `reason` then
 * names the file, or the first word of the command, and the error. */
bool password_read(Secret *ret, char *reason, size_t reason_size, const LoginConfig *login,
        uint64_t timeout_usec);

/* Returns what a refused password looks like, if it looks as if it were not meant so; NULL: like
 * any other. Nothing of it is in the text. */
const char *password_peculiarity(const Secret *password, const LoginConfig *login);

/* Reads it again after a refusal. Returns true, with the new one, if it has changed or comes from a
 * command, whose tokens expire. An unchanged password would be refused again and count as another
 * failed login of the account. */
bool password_read_changed(Secret *password, const LoginConfig *login, uint64_t timeout_usec);
