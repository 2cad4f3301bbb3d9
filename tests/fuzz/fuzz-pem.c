/*
 * The inspector's steps on three files: parse, validate and, if good, build the payload. The input
 * is CA file, certificate file and key file with a record separator (0x1e) between them; a missing
 * one is an empty file.
 */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/clock.h"
#include "common/json-reader.h"
#include "common/text.h"
#include "daemon/inspect/payload.h"
#include "daemon/inspect/pem.h"
#include "daemon/inspect/validate.h"

#define SEPARATOR 0x1e

/* 2027-02-01 14:05:09 UTC, when the seeds are valid. */
#define NOW (UINT64_C(1801490709) * USEC_PER_SEC)

static void split(Snapshot *snapshot, const uint8_t *data, size_t size)
{
        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++) {
                const uint8_t *end = size > 0 ? memchr(data, SEPARATOR, size) : NULL;
                size_t length = end ? (size_t)(end - data) : size;

                MUST(secret_append(&snapshot->content[i], data, length) == 0);
                data = end ? end + 1 : NULL;
                size -= end ? length + 1 : length;
        }
}

static void check_report(const Report *report)
{
        MUST(report->n_problems <= REPORT_PROBLEMS_MAX);
        for (unsigned i = 0; i < report->n_problems; i++) {
                const char *text = report->problems[i].text;

                MUST(text[0] != '\0' && text_is_utf8(text, strlen(text)));
                MUST(!strstr(text, "PRIVATE KEY-----"));
        }
        if (report->has_certificate)
                MUST(text_is_utf8(
                        report->certificate.subject, strlen(report->certificate.subject)));
}

static void check_payload(const Pem *pem)
{
        CLEANUP(secret_done) Secret payload = SECRET_NULL;
        CLEANUP(json_freep) JsonValue *json = NULL;
        char fingerprint[REPORT_FINGERPRINT_MAX];

        MUST(payload_fingerprint(fingerprint, pem) == 0 && strlen(fingerprint) == 64);
        MUST(payload_build(&payload, pem) == 0);
        MUST(json_parse(&json, payload.data, payload.size) == 0 && json_size(json) == 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const paths[_MATERIAL_FILE_MAX] = {"/ca", "/cert", "/key"};
        static const FileStat key_stat = {.mode = 0100600};
        MaterialConfig config = {.key_types = KEY_TYPES_RSA_EC,
                .minimum_rsa_bits = 512,
                .expiry_warning_usec = {30 * USEC_PER_DAY}};
        CLEANUP(snapshot_done) Snapshot snapshot = SNAPSHOT_NULL;
        CLEANUP(pem_done) Pem pem = PEM_NULL;
        Report report = {0};

        for (unsigned i = 0; i < _MATERIAL_FILE_MAX; i++)
                text_set(config.path[i], sizeof(config.path[i]), paths[i]);
        split(&snapshot, data, size);
        MUST(pem_parse(&pem, &snapshot, paths, &report, NOW) == 0);
        MUST(report.failed == (!pem.authorities || !pem.chain || !pem.key));
        MUST(validate(&report, &pem, &config, &key_stat, NOW) == 0);
        check_report(&report);
        MUST(report_is_valid(&report));
        if (!report.failed)
                check_payload(&pem);
        return 0;
}
