#pragma once

/*
 * Report: what an inspection found out, as a value without pointers, because it travels from the
 * inspector to the manager as one datagram. It holds nothing of the key.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/macro.h"
#include "daemon/model/rule.h"

#define REPORT_PROBLEMS_MAX    24
#define REPORT_FINGERPRINT_MAX 65 /* SHA-256 in lower-case hexadecimal, with NUL */
#define REPORT_NAME_MAX        256

/* Facts of the leaf certificate, for people and for metrics. */
typedef struct Certificate {
        char subject[REPORT_NAME_MAX]; /* RFC 2253 order as openssl prints it: "CN = x, O = y" */
        char issuer[REPORT_NAME_MAX];
        char serial[64];                     /* hexadecimal */
        char sha256[REPORT_FINGERPRINT_MAX]; /* of the certificate's DER */
        char key_type[16];                   /* "rsa", "ec", or what OpenSSL calls it */
        unsigned key_bits;
        uint64_t not_before_usec; /* wall clock */
        uint64_t not_after_usec;
} Certificate;

/* Names one set and its time. The fingerprint holds nothing of the key. */
typedef struct SetInfo {
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* "": no set */
        uint64_t not_before_usec, not_after_usec; /* of the certificate, wall clock */
} SetInfo;

typedef struct Report {
        bool files_changed; /* the files changed while they were read, every time we tried */
        bool has_certificate;
        Certificate certificate;
        unsigned ca_count;
        uint64_t ca_not_after_usec; /* the earliest of all CAs; 0 when there is none */
        char fingerprint[REPORT_FINGERPRINT_MAX]; /* "" unless every file could be normalised */
        uint64_t payload_size;       /* bytes in the payload descriptor; 0 when there is an error */
        uint64_t next_boundary_usec; /* wall clock: when a time rule will judge otherwise */
        uint64_t expires_within_usec; /* the smallest expiry warning that applies; 0: none */
        bool failed;                  /* a problem of severity error was added, kept or not */
        unsigned n_problems;
        unsigned n_omitted; /* problems beyond REPORT_PROBLEMS_MAX, counted, not kept */
        Problem problems[REPORT_PROBLEMS_MAX];
} Report;

/* Adds a problem; its sentence becomes one clean line (common/text.h). */
void report_add(Report *report, MaterialFile file, Rule rule, Severity severity, const char *format,
        ...) PRINTF(5, 6);

bool report_has_rule(const Report *report, Rule rule);

/* The first problem of the severest kind, which is what a reason quotes; NULL when there is none. */
const Problem *report_first(const Report *report);

/*
 * Verdict: the state of a material as design 6 names it, from a report and the age of the last
 * change. Pure.
 *
 * Renewal tools write one file at a time, so a set that fails is "changing" while the last change
 * is younger than settle-limit and only then "invalid" or "missing". What fails by the clock alone
 * is no half-written set and is called by its name at once.
 */

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

/* The set may be imported. */
bool material_state_is_good(MaterialState state);

/* `age_usec` is the time since the files last changed, `limit_usec` the configured settle-limit. */
MaterialState report_material_state(const Report *report, uint64_t age_usec, uint64_t limit_usec);
