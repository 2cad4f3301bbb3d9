#pragma once

/*
 * Method: the calls of io.binlogssl.Manager: parameters checked, rights checked, answers written.
 *
 * Anyone may read. Import and Reload are for root, for the daemon's own user and for members of
 * control-group, as the kernel saw the caller when it connected. What is done is the operations'
 * affair.
 */

#include "daemon/connection.h"
#include "daemon/setting.h"
#include "daemon/status.h"
#include "daemon/summary.h"

typedef struct MethodOperations {
        Model (*model)(void *userdata);
        void (*hurry)(size_t cluster, bool force, void *userdata);
        void (*advance)(void *userdata);                           /* starts what is due by now */
        int (*reload)(ConfigProblem *ret_problem, void *userdata); /* -EINVAL: see the problem */
        int (*metrics)(char **ret, void *userdata);
        bool (*is_allowed)(const Connection *connection, void *userdata);
        const StatusFacts *facts;
        void *userdata;
} MethodOperations;

/* As connection_call_fn wants it. */
int method_answer(const MethodOperations *operations, Connection *connection,
        const VarlinkCall *call, char **ret_parameters, const char **ret_error);

/* The events of Subscribe as its parameters; one of the two may be NULL. A heap string. */
int method_format_event(char **ret, const char *event, const MaterialStatus *material,
        const ClusterStatus *cluster, const MaterialStatus *material_of_cluster);
