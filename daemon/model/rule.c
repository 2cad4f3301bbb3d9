#include "daemon/model/rule.h"

#include <errno.h>
#include <string.h>

enum { CA = 1 << MATERIAL_CA, CERT = 1 << MATERIAL_CERT, KEY = 1 << MATERIAL_KEY };

/* One row per rule: name, next step, the files and the stage of them that the rule needs, the stage
 * at which the reading of a file ends if it violates the rule, and rule_can_pass(). */
static const struct {
        const char *name;
        const char *next_step;
        unsigned files;
        FileStage needs, ends;
        bool can_pass;
} rules[] = {
        [RULE_FILE_MISSING] = {"file-missing",
                "have the renewal tool write it there, or correct directory, ca, "
                "cert or key in the configuration",
                CA | CERT | KEY, FILE_STAGE_NAME, FILE_STAGE_NAME, true},
        [RULE_FILE_UNREADABLE] = {"file-unreadable", "give the service's user the right to read it",
                CA | CERT | KEY, FILE_STAGE_OPEN, FILE_STAGE_NOTHING, false},
        [RULE_FILE_KIND] = {"file-kind", "put a regular file there, or a symbolic link to one",
                CA | CERT | KEY, FILE_STAGE_KIND, FILE_STAGE_KIND, false},
        [RULE_FILE_SIZE] = {"file-size",
                "this is no PEM file; have the renewal tool write it again", CA | CERT | KEY,
                FILE_STAGE_SIZE, FILE_STAGE_SIZE, true},
        [RULE_PEM_MALFORMED] = {"pem-malformed",
                "have the renewal tool write it again; it must be PEM, whole", CA | CERT | KEY,
                FILE_STAGE_BLOCKS, FILE_STAGE_BLOCKS, true},
        [RULE_PEM_EMPTY] = {"pem-empty",
                "it must be PEM; convert it as the reason says, or have the renewal tool write it",
                CA | CERT | KEY, FILE_STAGE_BLOCKS, FILE_STAGE_BLOCKS, true},
        [RULE_PEM_IGNORED] = {"pem-ignored",
                "let each block begin and end with a line of its own, five dashes on both sides, or "
                "remove what does not belong there",
                CA | CERT, FILE_STAGE_PARSED, FILE_STAGE_PARSED, false},
        [RULE_KEY_ENCRYPTED] = {"key-encrypted",
                "store the key without passphrase: openssl pkey -in KEY -out NEW", KEY,
                FILE_STAGE_BLOCKS, FILE_STAGE_BLOCKS, false},
        [RULE_KEY_TYPE] = {"key-type",
                "issue an RSA key, or allow the type with key-types = rsa,ec", KEY,
                FILE_STAGE_PARSED, FILE_STAGE_PARSED, false},
        [RULE_KEY_BITS] = {"key-bits",
                "issue a key of an allowed length, for a CA as well, or lower minimum-rsa-bits",
                CA | CERT | KEY, FILE_STAGE_PARSED, FILE_STAGE_PARSED, false},
        [RULE_KEY_MISMATCH] = {"key-mismatch",
                "write the key that belongs to this certificate, or renew both", CERT | KEY,
                FILE_STAGE_PARSED, FILE_STAGE_PARSED, true},
        [RULE_KEY_DAMAGED] = {"key-damaged",
                "write this key again from its source, or renew key and certificate", CERT | KEY,
                FILE_STAGE_PARSED, FILE_STAGE_PARSED, true},
        [RULE_KEY_PERMISSIONS] = {"key-permissions",
                "chmod o-rwx the key; its reader is the service's group", KEY, FILE_STAGE_SIZE,
                FILE_STAGE_PARSED, false},
        [RULE_CERT_EXPIRED] = {"cert-expired", "renew the certificate", CERT, FILE_STAGE_PARSED,
                FILE_STAGE_PARSED, false},
        [RULE_CERT_NOT_YET_VALID] = {"cert-not-yet-valid",
                "it is imported when its time comes; if that is past, set this "
                "host's clock",
                CERT, FILE_STAGE_PARSED, FILE_STAGE_PARSED, false},
        [RULE_CERT_IS_CA] = {"cert-is-ca",
                "write the client's certificate into this file, and the CA into ca", CA | CERT,
                FILE_STAGE_PARSED, FILE_STAGE_PARSED, false},
        [RULE_CERT_USAGE] = {"cert-usage",
                "issue it with digitalSignature in the key usage and clientAuth in the extended "
                "key usage; for a CA that is named, have it issued anew, or use another",
                CA | CERT, FILE_STAGE_PARSED, FILE_STAGE_PARSED, false},
        [RULE_CERT_SIGNATURE] = {"cert-signature", "have it issued with SHA-256 or better",
                CA | CERT, FILE_STAGE_PARSED, FILE_STAGE_PARSED, false},
        [RULE_CHAIN_BROKEN] = {"chain-broken",
                "write the CA that issued the certificate into ca, and intermediate "
                "CAs into cert; or set chain = warn",
                CA | CERT, FILE_STAGE_PARSED, FILE_STAGE_PARSED, true},
        [RULE_CA_NOT_A_CA] = {"ca-not-a-ca", "leave only CA certificates in this file", CA,
                FILE_STAGE_PARSED, FILE_STAGE_PARSED, false},
        [RULE_CA_EXPIRED] = {"ca-expired", "write the current CA into this file", CA | CERT,
                FILE_STAGE_PARSED, FILE_STAGE_PARSED, false},
        [RULE_CA_CONSTRAINT] = {"ca-constraint",
                "issue it from a CA whose constraints permit it, or have that CA issued anew with "
                "wider ones",
                CA | CERT, FILE_STAGE_PARSED, FILE_STAGE_PARSED, false},
        [RULE_SAME_COMMON_NAME] = {"same-common-name",
                "issue it with a common name that is not the CA's", CA | CERT, FILE_STAGE_PARSED,
                FILE_STAGE_PARSED, false},
        [RULE_EXPIRES_SOON] = {"expires-soon", "renew it; check the renewal tool's timer and log",
                CERT, FILE_STAGE_PARSED, FILE_STAGE_PARSED, false},
};
_Static_assert(ARRAY_SIZE(rules) == _RULE_MAX, "every rule has a row");

bool problem_repeats(const Problem *problems, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (problems[k].rule == problems[i].rule &&
                        problems[k].severity == problems[i].severity &&
                        strcmp(problems[k].text, problems[i].text) == 0)
                        return true;
        return false;
}

const char *rule_to_string(Rule rule)
{
        return (unsigned)rule < _RULE_MAX ? rules[rule].name : "";
}

const char *rule_next_step(Rule rule)
{
        return (unsigned)rule < _RULE_MAX ? rules[rule].next_step : "";
}

bool rule_can_pass(Rule rule)
{
        return (unsigned)rule < _RULE_MAX && rules[rule].can_pass;
}

bool rule_needs(Rule rule, MaterialFile file, FileStage stage)
{
        return (unsigned)rule < _RULE_MAX && (unsigned)file < _MATERIAL_FILE_MAX &&
                (rules[rule].files & (1U << file)) && stage < rules[rule].needs;
}

FileStage rule_ends_at(Rule rule)
{
        return (unsigned)rule < _RULE_MAX ? rules[rule].ends : FILE_STAGE_PARSED;
}

const char *severity_to_string(Severity severity)
{
        static const char *const names[_SEVERITY_MAX] = {"warning", "error"};

        return (unsigned)severity < _SEVERITY_MAX ? names[severity] : "";
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
