#include "ctl/output/next-step.h"

#include <string.h>

#include "common/text.h"

static const char *const rule_advice[_RULE_MAX] = {
        [RULE_FILE_MISSING] = "have the renewal tool write it there, or correct directory, ca, "
                              "cert or key in the configuration",
        [RULE_FILE_UNREADABLE] = "give the service's user the right to read it",
        [RULE_FILE_KIND] = "put a regular file there, or a symbolic link to one",
        [RULE_FILE_SIZE] = "this is no PEM file; have the renewal tool write it again",
        [RULE_PEM_MALFORMED] = "have the renewal tool write it again; it must be PEM, whole",
        [RULE_PEM_EMPTY] = "it must be PEM; DER is converted with openssl x509 or openssl pkey",
        [RULE_KEY_ENCRYPTED] = "store the key without passphrase: openssl pkey -in KEY -out NEW",
        [RULE_KEY_TYPE] = "issue an RSA key, or allow the type with key-types = rsa,ec",
        [RULE_KEY_BITS] = "issue a longer key, or lower minimum-rsa-bits",
        [RULE_KEY_MISMATCH] = "write the key that belongs to this certificate, or renew both",
        [RULE_KEY_PERMISSIONS] = "chmod o-rwx the key; its reader is the service's group",
        [RULE_CERT_EXPIRED] = "renew the certificate",
        [RULE_CERT_NOT_YET_VALID] = "it is imported when its time comes; if that is past, set this "
                                    "host's clock",
        [RULE_CERT_IS_CA] = "write the client's certificate into this file, and the CA into ca",
        [RULE_CERT_USAGE] = "issue it with clientAuth in the extended key usage",
        [RULE_CERT_SIGNATURE] = "issue it with SHA-256 or better",
        [RULE_CHAIN_BROKEN] = "write the CA that issued the certificate into ca, and intermediate "
                              "CAs into cert; or set chain = warn",
        [RULE_CA_NOT_A_CA] = "leave only CA certificates in this file",
        [RULE_CA_EXPIRED] = "write the current CA into this file",
        [RULE_SAME_COMMON_NAME] = "issue it with a common name that is not the CA's",
        [RULE_EXPIRES_SOON] = "renew it; look at the renewal tool's timer and log",
};

const char *rule_next_step(Rule rule)
{
        return (unsigned)rule < _RULE_MAX ? rule_advice[rule] : "";
}

void next_step_material(char *buffer, size_t size, const MaterialInfo *material)
{
        const Problem *first = NULL;

        buffer[0] = '\0';
        for (size_t i = 0; i < material->n_problems; i++)
                if (!first || material->problems[i].severity > first->severity)
                        first = &material->problems[i];
        if (material->state == MATERIAL_STATE_CHANGING)
                text_set(buffer, size, "nothing yet: it is judged again when the rest is written");
        else if (first)
                text_set(buffer, size, rule_next_step(first->rule));
}

/* Where the service knows nothing to do. */
static const char *outcome_comfort(OutcomeKind kind)
{
        switch (kind) {
        case OUTCOME_TIMED_OUT:
                return "look whether the cluster is slow or a firewall swallows packets";
        case OUTCOME_UNKNOWN:
                return "nothing: it is imported once more, which does no harm";
        default:
                return "nothing: it is tried again";
        }
}

void next_step_cluster(char *buffer, size_t size, const ClusterInfo *cluster)
{
        const char *next = cluster->next_step;

        buffer[0] = '\0';
        switch (cluster->state) {
        case CLUSTER_HELD:
        case CLUSTER_RETRYING:
                text_set(buffer, size, next[0] != '\0' ? next : outcome_comfort(cluster->outcome));
                break;
        case CLUSTER_CURRENT:
                if (replication_is_broken(&cluster->replication))
                        text_set(buffer, size,
                                "look at SHOW REPLICA STATUS on the cluster; with "
                                "replication = restart the service restarts it");
                else if (status_info_import_failed(cluster))
                        text_set(buffer, size, next);
                break;
        case CLUSTER_WAITING:
                text_format(buffer, size, "see to material %s; the import then starts by itself",
                        cluster->material);
                break;
        case CLUSTER_DISABLED:
                text_set(buffer, size, "set enabled = yes and reload, when it shall be imported");
                break;
        case CLUSTER_IMPORTING:
        case _CLUSTER_STATE_MAX:
                break;
        }
}

void next_step_cluster_command(char *buffer, size_t size, const ClusterInfo *cluster)
{
        buffer[0] = '\0';
        if (cluster->state == CLUSTER_HELD || cluster->state == CLUSTER_RETRYING)
                text_format(buffer, size, "binlog-sslctl import --wait %s", cluster->name);
}

void next_step_material_command(char *buffer, size_t size, const MaterialInfo *material)
{
        buffer[0] = '\0';
        if (!material_state_is_good(material->state))
                text_format(buffer, size, "binlog-sslctl explain %s", material->name);
}
