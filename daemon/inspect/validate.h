#pragma once

/*
 * Validation: an identity against the rules of design 6, at a given time.
 *
 * Every breach is added to the report with its file, what was wanted and what was found. A root
 * cause is named once: what only follows from it is left out. X.509 facts: RFC 5280; the common
 * name rule: MySQL manual, "Creating SSL Certificates and Keys Using openssl".
 */

#include <stdint.h>

#include "daemon/config/config.h"
#include "daemon/inspect/pem.h"
#include "daemon/model/report.h"

/* Judges what `identity` has; members that are NULL were reported when they were parsed. Fills
 * the certificate, the CA facts and the next time at which the verdict changes. */
void validate(Report *report, const PemSet *pem, const MaterialConfig *config,
        const FileStat *key_stamp, uint64_t now_usec);
