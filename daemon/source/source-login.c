#include "daemon/source/source-login.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/redact.h"
#include "common/text.h"
#include "daemon/mysql/password.h"
#include "daemon/mysql/session.h"
#include "daemon/source/client-identity.h"

#define ACCESS_DENIED 1045 /* the server's error for a wrong password, among others */

static bool read_password(Secret *password, SourceReply *ret, const LoginConfig *login,
        uint64_t deadline_usec, Redactor *redactor)
{
        if (login->user[0] == '\0' || !login_config_has_password(login))
                return false;
        if (!password_read(password, ret->password_reason, sizeof(ret->password_reason), login,
                    clock_left_usec(deadline_usec) / 2))
                return false;
        if (redactor_add_text(redactor, password) == 0)
                return true;
        text_set(ret->password_reason, sizeof(ret->password_reason), strerror(ENOMEM));
        return false;
}

/* `password` NULL: the handshake alone, whoever the peer is. */
static void connect_once(SourceReply *ret, SessionTarget target, const Secret *password)
{
        CLEANUP(session_freep) Session *session = NULL;
        ServerCertificate certificate;

        ret->error = (SessionError){0};
        ret->with_password = password;
        target.any_peer = !password;
        if (!password)
                target.user = SOURCE_LOGIN_NOBODY;
        ret->result = session_open(&session, &target, password, &certificate, &ret->error);
        ret->certificate = certificate.result;
        text_set(ret->certificate_reason, sizeof(ret->certificate_reason), certificate.reason);
}

static bool peer_failed(const SourceReply *reply)
{
        return reply->result == SESSION_TLS && reply->certificate != CERTIFICATE_NOT_SHOWN &&
                reply->certificate != CERTIFICATE_VERIFIED;
}

bool source_reply_is_valid(const SourceReply *reply)
{
        return IS_ENUMERATOR(reply->result, _SESSION_RESULT_MAX) &&
                session_error_is_valid(&reply->error) && is_boolean(&reply->with_password) &&
                IS_ENUMERATOR(reply->certificate, _CERTIFICATE_RESULT_MAX) &&
                TEXT_IS_RECEIVED(reply->certificate_reason) &&
                TEXT_IS_RECEIVED(reply->password_reason);
}

int source_login(SourceReply *ret, const LoginConfig *login, const char *plugins,
        const Secret pem[static _MATERIAL_FILE_MAX], uint64_t deadline_usec)
{
        CLEANUP(client_identity_done) ClientIdentity files = CLIENT_IDENTITY_NULL;
        CLEANUP(secret_done) Secret password = SECRET_NULL;
        CLEANUP(redactor_done) Redactor redactor = REDACTOR_NULL;
        const SessionIdentity identity = {files.path[MATERIAL_CERT], files.path[MATERIAL_KEY]};
        const SessionTarget target = {
                .host = login->host,
                .port = login->port,
                .user = login->user,
                .server_ca = files.path[MATERIAL_CA],
                .store = "the CA file of the new set",
                .identity = &identity,
                .plugins = plugins,
                .deadline_usec = deadline_usec,
        };
        bool has_password;
        int r;

        /* Before the files exist: a command inherits nothing of them. */
        has_password = read_password(&password, ret, login, deadline_usec, &redactor);
        r = client_identity_create(&files, pem);
        if (r < 0)
                return r;
        connect_once(ret, target, has_password ? &password : NULL);
        if (has_password && ret->error.number == ACCESS_DENIED &&
                password_read_changed(&password, login, clock_left_usec(deadline_usec) / 2) &&
                redactor_add_text(&redactor, &password) == 0)
                connect_once(ret, target, &password);
        if (has_password && peer_failed(ret))
                connect_once(ret, target, NULL);
        REDACT(&redactor, ret->error.text);
        REDACT(&redactor, ret->certificate_reason);
        return 0;
}
