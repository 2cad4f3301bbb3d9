#include "daemon/source/source-verdict.h"

#include <string.h>

#include "common/macro.h"
#include "common/text.h"
#include "daemon/config/config-key.h"

#define DEFAULT_PORT 3306
#define WHERE_MAX    (CONFIG_HOST_MAX + 32)

/* The alerts about the peer's certificate: RFC 8446, section 6.2. */
static const struct {
        unsigned number;
        const char *name, *next_step;
} refusals[] = {
        {42, "bad certificate", "check the certificate against the CAs of the source (ssl-ca)"},
        {43, "unsupported certificate",
                "the source does not accept this kind of certificate: check its usage and key type"},
        {44, "certificate revoked",
                "the certificate is in the source's revocation list (ssl-crl): issue a new one"},
        {45, "certificate expired",
                "check the clock of the source, and the dates of the certificate's issuers in its "
                "ssl-ca"},
        {46, "certificate unknown", "check the certificate against the CAs of the source (ssl-ca)"},
        {48, "unknown CA",
                "add the issuer of the new certificate to ssl-ca of the source and reload its TLS"},
        {49, "access denied", "the source does not accept this certificate: check its settings"},
        {51, "decrypt error", "the source cannot verify the signature of the key: check its type"},
        {116, "certificate required", "check that cert and key of the material are complete"},
};

/* Errors of the server with which it refuses the account, whatever host asks. */
static bool refuses_account(unsigned number)
{
        switch (number) {
        case 1045: /* wrong password, or REQUIRE is not fulfilled */
        case 1698: /* refused without password */
        case 1820: /* password must be changed */
        case 1862: /* password expired */
        case 3118: /* account locked */
        case 4151: /* account locked, MariaDB */
                return true;
        default:
                return false;
        }
}

/* Errors of the server about connections, not about the set. */
static bool refuses_connection(unsigned number)
{
        switch (number) {
        case 1040: /* too many connections */
        case 1053: /* the server shuts down */
        case 1129: /* the host is blocked after connect errors */
        case 1130: /* the host may not connect */
        case 1203: /* too many connections of the user */
        case 1226: /* a limit of the user */
                return true;
        default:
                return false;
        }
}

static bool has_answered(const SourceReply *reply)
{
        unsigned number = reply->error.number;

        if (reply->result == SESSION_OK)
                return true;
        if (reply->certificate == CERTIFICATE_NOT_SHOWN || refuses_connection(number))
                return false;
        return number == SESSION_ERROR_PLUGIN_NOT_ALLOWED ||
                number == SESSION_ERROR_PLUGIN_NOT_LOADED ||
                (number != 0 && !session_error_is_of_library(number));
}

static void format_where(char buffer[static WHERE_MAX], const LoginConfig *source)
{
        text_format(buffer, WHERE_MAX, "the source %s port %u", source->host, source->port);
}

/* What the status names becomes an argument of source-password-command, so that it must not be an
 * option. */
bool source_verdict_locate(LoginConfig *ret, char *reason, size_t reason_size,
        const ClusterConfig *cluster, const Replication *replication,
        const ReplicationSource *replica, const char *status_error)
{
        bool reported = replication->known && replication->configured;

        *ret = cluster->source;
        if (ret->host[0] == '\0' && reported && config_key_is_host(replication->source_host))
                ret->host = replication->source_host;
        if (ret->port == 0 && reported)
                ret->port = replication->source_port;
        if (ret->port == 0)
                ret->port = DEFAULT_PORT;
        if (ret->user[0] == '\0' && reported && replica->user[0] != '-')
                ret->user = replica->user;
        if (ret->host[0] != '\0')
                return true;
        if (!replication->known)
                text_format(reason, reason_size, "the replica's status cannot be read: %s",
                        status_error);
        else if (!replication->configured)
                text_set(
                        reason, reason_size, "the cluster has no source: no replica is configured");
        else
                text_set(reason, reason_size, "the replica's status names no host of the source");
        return false;
}

bool source_verdict_set_unknown(
        Outcome *ret, const char *reason, const char *advice, SourceProbe mode)
{
        char text[OUTCOME_TEXT_MAX];

        if (mode != SOURCE_PROBE_REQUIRE) {
                text_format(text, sizeof(text),
                        "the source was not tested: %s; %s, or source-probe = off", reason, advice);
                outcome_add_warning(ret, text);
                return true;
        }
        ret->kind = OUTCOME_SOURCE_UNREACHABLE;
        text_format(ret->text, sizeof(ret->text), "%s; nothing was imported", reason);
        text_format(ret->next_step, sizeof(ret->next_step),
                "%s; source-probe = try imports without an answer of the source", advice);
        return false;
}

static bool refuse(Outcome *ret, const SourceReply *reply, const char *next_step)
{
        ret->kind = OUTCOME_SOURCE_REFUSED;
        ret->sql_errno = reply->error.number;
        text_set(ret->next_step, sizeof(ret->next_step), next_step);
        return false;
}

/* Returns true if the source has refused the client's certificate. */
static bool judge_alert(Outcome *ret, const SourceReply *reply, const char *where)
{
        for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
                if (reply->error.alert == refusals[i].number) {
                        text_format(ret->text, sizeof(ret->text),
                                "%s refuses the new client certificate (TLS alert %u, %s); nothing "
                                "was imported",
                                where, refusals[i].number, refusals[i].name);
                        (void)refuse(ret, reply, refusals[i].next_step);
                        return true;
                }
        return false;
}

/* Why there was no login with the password. */
static void explain_handshake(
        char *buffer, size_t size, const SourceReply *reply, const LoginConfig *source)
{
        if (reply->certificate != CERTIFICATE_VERIFIED)
                text_format(buffer, size,
                        "its certificate does not verify, which Aurora ignores, but no password is "
                        "sent: %s",
                        reply->certificate_reason);
        else if (reply->with_password)
                text_set(buffer, size, reply->error.text);
        else if (reply->password_reason[0] != '\0')
                text_format(buffer, size, "no password: %s", reply->password_reason);
        else if (!login_config_has_password(source))
                text_set(buffer, size, "there is no source-password-...");
        else
                text_set(buffer, size, "there is no source-user");
}

bool source_verdict_judge(
        Outcome *ret, const SourceReply *reply, const LoginConfig *source, SourceProbe mode)
{
        char where[WHERE_MAX], reason[OUTCOME_TEXT_MAX], text[OUTCOME_TEXT_MAX];

        format_where(where, source);
        if (judge_alert(ret, reply, where))
                return false;
        if (reply->with_password && refuses_account(reply->error.number)) {
                text_format(ret->text, sizeof(ret->text),
                        "%s refuses %s with the new set: %s; nothing was imported", where,
                        source->user, reply->error.text);
                return refuse(ret, reply,
                        "compare REQUIRE SUBJECT, ISSUER or X509 of the account with the new "
                        "certificate, and its password with source-password-...; the account must "
                        "also accept this host");
        }
        if (!has_answered(reply)) {
                text_format(reason, sizeof(reason), "%s cannot be reached from this host: %s",
                        where, reply->error.text);
                return source_verdict_set_unknown(ret, reason, SOURCE_VERDICT_UNREACHED, mode);
        }
        if (mode == SOURCE_PROBE_REQUIRE && reply->password_reason[0] != '\0') {
                text_format(reason, sizeof(reason), "no password for %s: %s", where,
                        reply->password_reason);
                return source_verdict_set_unknown(ret, reason,
                        "let the service's user read the password of the source", mode);
        }
        if (reply->result == SESSION_OK && reply->with_password)
                return true;
        explain_handshake(reason, sizeof(reason), reply, source);
        text_format(text, sizeof(text), "only the TLS handshake with %s was tested, no login: %s",
                where, reason);
        outcome_add_warning(ret, text);
        return true;
}
