#include "daemon/import/importer.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>

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
        struct stat st;
        void *payload;
        int r;

        if (task->payload_fd < 0) {
                run_action(ret, task, NULL, &key);
                return 0;
        }
        if (fstat(task->payload_fd, &st) < 0)
                return -errno;
        payload = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, task->payload_fd, 0);
        if (payload == MAP_FAILED)
                return -errno;
        (void)madvise(payload, (size_t)st.st_size, MADV_DONTDUMP);
        r = redactor_set_pem(&key, payload, (size_t)st.st_size);
        if (r == 0) {
                run_action(ret, task, &(CallPayload){payload, (size_t)st.st_size, task->newlines},
                        &key);
                outcome_redact(ret, &key);
        }
        (void)munmap(payload, (size_t)st.st_size);
        return r;
}
