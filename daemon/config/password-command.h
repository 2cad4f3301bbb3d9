#pragma once

/*
 * Password command: splits the value of password-command into the words of a program and its
 * arguments. There is no shell.
 *
 * Spaces separate words. Text between two double quotes belongs to its word as it is, blanks
 * included; the quotes do not, and "" alone is an empty word. %h, %p and %u, between quotes as
 * well, are replaced by host, port and user of the login, and %% by a percent sign. What replaces
 * them is not split, and nothing in it is special, so that it stays in its word whatever it is. No
 * other character is special: no backslash, apostrophe, dollar or semicolon.
 */

#include "daemon/config/config.h"

/* `ret` receives the words and a NULL, in one block that free(3) frees. Returns the number of
 * words; `login->password` is not used. -EINVAL: a double quote without its second, or
 * a percent sign before anything else. -ENOMEM. */
int password_command_parse(char ***ret, const char *text, const LoginConfig *login);
