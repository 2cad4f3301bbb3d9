#include "daemon/model/rule.h"

#include <errno.h>
#include <string.h>

const char *rule_to_string(Rule rule)
{
        static const char *const names[_RULE_MAX] = {
                [RULE_FILE_MISSING] = "file-missing",
                [RULE_FILE_UNREADABLE] = "file-unreadable",
                [RULE_FILE_KIND] = "file-kind",
                [RULE_FILE_SIZE] = "file-size",
                [RULE_PEM_MALFORMED] = "pem-malformed",
                [RULE_PEM_EMPTY] = "pem-empty",
                [RULE_KEY_ENCRYPTED] = "key-encrypted",
                [RULE_KEY_TYPE] = "key-type",
                [RULE_KEY_BITS] = "key-bits",
                [RULE_KEY_MISMATCH] = "key-mismatch",
                [RULE_KEY_PERMISSIONS] = "key-permissions",
                [RULE_CERT_EXPIRED] = "cert-expired",
                [RULE_CERT_NOT_YET_VALID] = "cert-not-yet-valid",
                [RULE_CERT_IS_CA] = "cert-is-ca",
                [RULE_CERT_USAGE] = "cert-usage",
                [RULE_CERT_SIGNATURE] = "cert-signature",
                [RULE_CHAIN_BROKEN] = "chain-broken",
                [RULE_CA_NOT_A_CA] = "ca-not-a-ca",
                [RULE_CA_EXPIRED] = "ca-expired",
                [RULE_SAME_COMMON_NAME] = "same-common-name",
                [RULE_EXPIRES_SOON] = "expires-soon",
        };

        return (unsigned)rule < _RULE_MAX ? names[rule] : "";
}

const char *severity_to_string(Severity severity)
{
        switch (severity) {
        case SEVERITY_WARNING:
                return "warning";
        case SEVERITY_ERROR:
                return "error";
        case _SEVERITY_MAX:
                break;
        }
        return "";
}

int rule_from_string(Rule *ret, const char *name)
{
        for (Rule rule = 0; rule < _RULE_MAX; rule++)
                if (strcmp(rule_to_string(rule), name) == 0) {
                        *ret = rule;
                        return 0;
                }
        return -EINVAL;
}
