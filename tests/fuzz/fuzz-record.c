/* A record that can be parsed can be written, and the written record is the same. */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/macro.h"
#include "daemon/record/record-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(freep) char *once = NULL;
        CLEANUP(freep) char *twice = NULL;
        CLEANUP(record_done) Record first = RECORD_NULL;
        CLEANUP(record_done) Record second = RECORD_NULL;

        if (record_parse(&first, (const char *)data, size) < 0)
                return 0;
        MUST(record_format(&once, &first) == 0);
        MUST(once[strlen(once) - 1] == '\n');
        MUST(record_parse(&second, once, strlen(once)) == 0);
        MUST(record_format(&twice, &second) == 0);
        MUST(strcmp(once, twice) == 0);
        MUST(strcmp(first.imported.fingerprint, second.imported.fingerprint) == 0);
        MUST(first.attempt.failures == second.attempt.failures &&
                first.imported.in_use == second.imported.in_use);
        MUST(first.attempt.outcome.known == second.attempt.outcome.known &&
                first.attempt.outcome.kind == second.attempt.outcome.kind);
        return 0;
}
