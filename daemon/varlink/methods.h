#pragma once

/*
 * Methods: answers the calls and sends the events of io.binlogssl.Manager.
 *
 * Checks the parameters and the caller's rights and writes the answers; the manager provides the
 * operations. Anyone may read. Import, Remove, CheckClusters and Reload require root, the daemon's
 * own user or a member of control-group, by the credentials that the kernel recorded at
 * connect(2).
 */

#include "daemon/config/config.h"
#include "daemon/model/status.h"
#include "daemon/varlink/connection.h"
#include "daemon/varlink/server.h"
#include "daemon/varlink/status-json.h"

typedef void (*check_ready_fn)(void *userdata);

/* The run of CheckClusters. */
typedef struct CheckOperations {
        /* `chosen` has a member for each cluster of the status, and is needed only until this
         * returns. `ready` is called when `next` may have an answer, until the run has ended.
         * -EBUSY: there is a run. */
        int (*start)(
                const bool *chosen, check_ready_fn ready, void *ready_userdata, void *userdata);
        int (*next)(char **ret, void *userdata); /* as connection_next_fn; 0 ends the run */
        void (*end)(void *userdata);
        void *userdata;
} CheckOperations;

typedef struct ManagerOperations {
        ManagerStatus (*status)(void *userdata);
        const Config *(*config)(void *userdata);
        /* `by_hand`: an operator has named the cluster, which does not wait for a canary then. */
        void (*import_now)(size_t cluster, bool by_hand, bool force, void *userdata);
        bool (*can_remove)(size_t cluster, void *userdata); /* false: an import runs */
        void (*remove)(size_t cluster, void *userdata);
        void (*schedule)(void *userdata); /* brings the status up to date with all events */
        void (*reload)(void *userdata); /* methods_answer_reload() follows, not before it returns */
        int (*try_reload)(ConfigProblem *ret_problem, void *userdata); /* -EINVAL: refused */
        int (*metrics)(char **ret, void *userdata);
        CheckOperations check;
        const ManagerInfo *info;
        void *userdata;
} ManagerOperations;

/* Answers a call: a connection_call_fn whose `userdata` is the ManagerOperations. */
int methods_answer(Connection *connection, const VarlinkCall *call, char **ret_parameters,
        const char **ret_error, void *userdata);

/* Answers every call of Reload. `problem`: if `r` is -EINVAL. */
void methods_answer_reload(Server *server, int r, const ConfigProblem *problem);

/* Sends an event to all subscribers; `material`, `cluster` or both are NULL. A removed cluster has
 * no `material_of_cluster`: it may be removed as well. If memory is short the event is lost. */
void methods_publish(Server *server, const char *event, const MaterialStatus *material,
        const ClusterStatus *cluster, const MaterialStatus *material_of_cluster);
