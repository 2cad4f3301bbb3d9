#include "daemon/mysql/login.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/mysql/password.h"
#include "daemon/mysql/sql-error.h"

#define LOGIN_ACCESS_DENIED 1045 /* the server's error for a wrong password, among others */

/* A command may take half of the time left, so that time remains for the session. */
static bool read_password(Secret *ret, Outcome *outcome, const ClusterConfig *cluster,
        uint64_t deadline_usec, Redactor *redactor)
{
        char reason[OUTCOME_TEXT_MAX];

        if (password_read(ret, reason, sizeof(reason), &cluster->login,
                    clock_left_usec(deadline_usec) / 2)) {
                if (redactor_add_text(redactor, ret) == 0)
                        return true;
                text_set(reason, sizeof(reason), strerror(ENOMEM));
        }
        outcome->kind = OUTCOME_AUTH;
        text_format(outcome->text, sizeof(outcome->text), "no password: %s", reason);
        text_format(outcome->next_step, sizeof(outcome->next_step), "%s; expected is %s",
                cluster->login.password.command[0] != '\0'
                        ? "run password-command by hand as the service's user"
                        : cluster->login.password.file[0] != '\0'
                        ? "let the service's user read password-file"
                        : "hand the credential to the unit: LoadCredential= in a drop-in, as "
                          "examples/credentials.conf shows",
                cluster->login.password.field[0] != '\0'
                        ? "a JSON object with password-field as a string"
                        : "one line");
        return false;
}

/* A password may have been changed after it was read, and a token may have expired. */
static bool read_changed_password(
        Secret *password, const LoginConfig *login, uint64_t deadline_usec, Redactor *redactor)
{
        return password_read_changed(password, login, clock_left_usec(deadline_usec) / 2) &&
                redactor_add_text(redactor, password) == 0;
}

/* What may be wrong with a password that the server refuses. */
static void advise_password(Outcome *outcome, const LoginConfig *login, const Secret *password)
{
        const PasswordConfig *source = &login->password;
        const char *peculiarity = password_peculiarity(password, login);
        char *text = outcome->next_step;
        size_t size = sizeof(outcome->next_step);

        text_format(text, size,
                "check the user %s, the account's host and plugin, and the password ", login->user);
        if (source->credential[0] != '\0')
                text_append(text, size, "in the credential %s", source->credential);
        else if (source->file[0] != '\0')
                text_append(text, size, "in %s", source->file);
        else
                text_append(text, size, "that password-command prints");
        if (peculiarity)
                text_append(text, size, ": %s", peculiarity);
        if (source->credential[0] != '\0')
                text_append(text, size,
                        "; a credential is as it was when the service started: after a change "
                        "restart the service");
}

uint64_t login_deadline_usec(uint64_t start_usec, uint64_t timeout_usec)
{
        return start_usec + timeout_usec - timeout_usec / 10;
}

bool login_open(Session **ret, Outcome *outcome, ServerCertificate *ret_certificate,
        const ClusterConfig *cluster, uint64_t deadline_usec, Redactor *redactor)
{
        CLEANUP(secret_done) Secret password = SECRET_NULL;
        char plugins[CONFIG_PLUGINS_MAX];
        SessionTarget target = {
                .host = cluster->login.host,
                .port = cluster->login.port,
                .user = cluster->login.user,
                .server_ca = cluster->server_ca,
                .plugins = plugins,
                .deadline_usec = deadline_usec,
        };
        SessionError error = {0};
        SessionResult result;

        config_list_plugins(cluster, plugins);
        if (!read_password(&password, outcome, cluster, deadline_usec, redactor))
                return false;
        result = session_open(ret, &target, &password, ret_certificate, &error);
        if (result == SESSION_AUTH && error.number == LOGIN_ACCESS_DENIED &&
                read_changed_password(&password, &cluster->login, deadline_usec, redactor))
                result = session_open(ret, &target, &password, ret_certificate, &error);
        if (result == SESSION_AUTH && error.number == LOGIN_ACCESS_DENIED)
                advise_password(outcome, &cluster->login, &password);
        if (result == SESSION_TLS)
                server_certificate_advise(outcome->next_step, sizeof(outcome->next_step),
                        ret_certificate, cluster->server_ca);
        if (sql_error_fail(outcome, result, &error, NULL))
                return false;
        session_describe(*ret, &outcome->server);
        return true;
}
