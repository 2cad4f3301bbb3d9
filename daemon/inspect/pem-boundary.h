#pragma once

/*
 * PEM boundary: finds what looks like a PEM block, or like the inside of one, or stands in its
 * place, and is not read.
 *
 * A block begins and ends with a line of its own, five dashes on both sides (RFC 7468, section 3).
 * OpenSSL takes everything else for text that explains a block, and reads on without a word: a CA
 * that YAML has indented, or that a byte order mark precedes after a concatenation, is then missing
 * in the cluster. Other text is not named: it may be of any kind (doc/design.md, "Rules").
 */

#include <stddef.h>

#include "daemon/model/rule.h"

typedef struct PemIgnored {
        unsigned n;      /* places; 0: none, and the rest has no meaning */
        unsigned line;   /* of the first, from 1 */
        char reason[96]; /* why it is not read; repeats nothing of a key */
} PemIgnored;

/* Pure. A key and parameters are no surprise in a file of certificates, and nothing but a broken
 * boundary is one in the key file. */
void pem_boundary_find(PemIgnored *ret, MaterialFile file, const char *data, size_t size);
