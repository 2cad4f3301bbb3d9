#pragma once

/*
 * Error advice: what a person can do about an error of the server, whatever statement it has ended.
 *
 * Numbers are those of MySQL's server error reference, "Server Error Message Reference"; MariaDB
 * has the same below 1900. What depends on the statement, as a missing privilege does, is not here
 * (daemon/mysql/sql-error.h).
 */

#define ERROR_ADVICE_PACKET 1153 /* a packet larger than max_allowed_packet */

/* Returns one sentence; "": the error's text has to be enough. */
const char *error_advice(unsigned number);
