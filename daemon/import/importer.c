#include "daemon/import/importer.h"

#include "common/clock.h"
#include "daemon/import/import.h"
#include "daemon/import/removal.h"
#include "daemon/mysql/login.h"

static void run_action(
        Outcome *ret, const ImportTask *task, const CallPayload *payload, const Redactor *key)
{
        CLEANUP(session_freep) Session *session = NULL;
        CLEANUP(redactor_done) Redactor password = REDACTOR_NULL;
        ServerCertificate certificate; /* its reason, if any, is in the outcome */
        uint64_t start_usec = clock_boottime_usec();
        uint64_t deadline_usec = login_deadline_usec(start_usec, task->timeout_usec);

        if (login_open(&session, ret, &certificate, task->cluster, deadline_usec, &password)) {
                if (task->action == IMPORT_ACTION_CHECK)
                        import_check(ret, session, task);
                else if (task->action == IMPORT_ACTION_REMOVE)
                        removal_run(ret, session, task, deadline_usec);
                else
                        import_run(ret, session, task, payload, &(StopNote){&password, key},
                                deadline_usec);
        }
        outcome_redact(ret, &password);
        ret->duration_usec = clock_boottime_usec() - start_usec;
}

int importer_run(Outcome *ret, const ImportTask *task)
{
        CLEANUP(redactor_done) Redactor key = REDACTOR_NULL;
        CallPayload payload;
        int r;

        if (task->payload_fd < 0) {
                run_action(ret, task, NULL, &key);
                return 0;
        }
        r = call_payload_map(&payload, task->payload_fd);
        if (r < 0)
                return r;
        payload.newlines = task->newlines;
        r = redactor_set_pem(&key, payload.data, payload.size);
        if (r == 0) {
                run_action(ret, task, &payload, &key);
                outcome_redact(ret, &key);
        }
        call_payload_unmap(&payload);
        return r;
}
