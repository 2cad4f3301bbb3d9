#pragma once

/*
 * Validate: evaluates parsed material against the rules (doc/design.md, "Rules") at a given time.
 *
 * Every violation is added to the report with its file, the expected and the found value. Only the
 * root cause is reported: a violation that follows from another one is left out. X.509 facts: RFC
 * 5280; the common name rule: MySQL manual, "Creating SSL Certificates and Keys Using openssl".
 */

#include <stdint.h>

#include "daemon/config/config.h"
#include "daemon/inspect/pem.h"
#include "daemon/model/report.h"

/* Evaluates the members of `pem` that are not NULL; the parser has reported the others. Fills the
 * certificate, the CA facts and the next time at which the result changes. Returns 0 or -ENOMEM. */
int validate(Report *report, const Pem *pem, const MaterialConfig *config, const FileStat *key_stat,
        uint64_t now_usec);
