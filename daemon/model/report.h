#pragma once

/*
 * Report: the result of one inspection of a material.
 *
 * A value without pointers, because the inspector sends it to the manager as one datagram. It
 * contains nothing of the key.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/macro.h"
#include "daemon/model/rule.h"

#define REPORT_PROBLEMS_MAX    24
#define REPORT_FINGERPRINT_MAX 65 /* SHA-256 in lower-case hexadecimal, with NUL */
#define REPORT_NAME_MAX        256

/* Facts of the leaf certificate, for display and metrics. */
typedef struct Certificate {
        char subject[REPORT_NAME_MAX]; /* RFC 2253 order as openssl prints it: "CN = x, O = y" */
        char issuer[REPORT_NAME_MAX];
        char serial[64];                     /* hexadecimal */
        char sha256[REPORT_FINGERPRINT_MAX]; /* of the certificate's DER */
        char key_type[16];                   /* "rsa", "ec", or OpenSSL's name of the type */
        unsigned key_bits;
        uint64_t not_before_usec; /* wall clock */
        uint64_t not_after_usec;
} Certificate;

/* One set and the validity of its certificate. The fingerprint contains nothing of the key. */
typedef struct SetInfo {
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* "": no set */
        /* What older records and ledgers call this set; "": the same. */
        char legacy_fingerprint[REPORT_FINGERPRINT_MAX];
        uint64_t not_before_usec, not_after_usec; /* wall clock */
} SetInfo;

typedef struct Report {
        bool files_changed; /* the files changed during every attempt to read them */
        bool has_certificate;
        Certificate certificate;
        unsigned ca_count;
        uint64_t ca_not_before_usec; /* of the CA that expires first; 0 when there is none */
        uint64_t ca_not_after_usec;
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* "" unless every file could be normalised */
        char legacy_fingerprint[REPORT_FINGERPRINT_MAX]; /* "": the same */
        uint64_t payload_size;       /* bytes in the payload descriptor; 0 when there is an error */
        uint64_t next_boundary_usec; /* wall clock: when the result of a time rule changes */
        uint64_t expires_within_usec; /* the smallest expiry warning that applies; 0: none */
        bool failed;                  /* a problem of severity error was added, kept or not */
        unsigned n_problems;
        unsigned n_omitted; /* problems beyond REPORT_PROBLEMS_MAX, counted, not kept */
        Problem problems[REPORT_PROBLEMS_MAX];
} Report;

/* Returns true if the text is one: SHA-256 in lower-case hexadecimal. Pure. */
bool report_is_fingerprint(const char *text);

/* Returns true if a received array is a fingerprint or "". Pure. */
bool report_fingerprint_is_valid(const char fingerprint[static REPORT_FINGERPRINT_MAX]);

/* Returns true if a received value is one: each text, enumerator and boolean, and the number of
 * problems; no time has more than the 63 bits that a record can have. Pure. */
bool report_is_valid(const Report *report);

/* Adds a problem; its text becomes one clean line (common/text.h). Returns NULL if it is only
 * counted. */
Problem *report_add(Report *report, MaterialFile file, Rule rule, Severity severity,
        const char *format, ...) PRINTF(5, 6);

/* The result may change at `usec`; a time that is past is ignored. */
void report_add_boundary(Report *report, uint64_t usec, uint64_t now_usec);

/* Returns true if a problem of the rule was kept. */
bool report_has(const Report *report, Rule rule);

/* Returns true if both have the same errors that are kept, and the same certificate or none. */
bool report_has_errors_of(const Report *report, const Report *other);

/* Returns the problem of the certificate that expires first of those that expire soon, or NULL. */
const Problem *report_expiry(const Report *report);

/* Returns the first error, else the first warning, else NULL: the problem that a reason quotes. */
const Problem *report_first(const Report *report);

/* The state of a material, named in doc/design.md, "Material". */
typedef enum MaterialState {
        MATERIAL_STATE_MISSING,
        MATERIAL_STATE_CHANGING,
        MATERIAL_STATE_INVALID,
        MATERIAL_STATE_NOT_YET_VALID,
        MATERIAL_STATE_VALID,
        MATERIAL_STATE_EXPIRING,
        MATERIAL_STATE_EXPIRED,
        _MATERIAL_STATE_MAX,
} MaterialState;

const char *material_state_to_string(MaterialState state);

/* Returns true if the set may be imported. */
bool material_state_is_good(MaterialState state);

/* Returns the state from a report, the time since the last change of the files, and
 * settle-limit.
 *
 * Renewal tools write one file at a time, so a set with errors is "changing" while the last
 * change is younger than settle-limit, and "invalid" or "missing" from then on. A set whose only
 * errors come from the clock is complete, so its state is "expired" or "not_yet_valid" at once. */
MaterialState report_material_state(const Report *report, uint64_t age_usec, uint64_t limit_usec);
