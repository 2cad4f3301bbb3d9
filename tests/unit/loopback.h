#pragma once

/* Loopback: ports of 127.0.0.1 for tests. */

/* Binds a free port without listening on it: a connect is refused. The caller closes the
 * descriptor. */
int loopback_bind(unsigned *ret_port);
