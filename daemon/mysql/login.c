#include "daemon/mysql/login.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/clock.h"
#include "common/command.h"
#include "common/file.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/config/password-command.h"
#include "daemon/config/paths.h"
#include "daemon/mysql/sql-error.h"

#define LOGIN_ACCESS_DENIED 1045 /* the server's error for a wrong password, among others */

_Static_assert(
        LOGIN_PASSWORD_MAX == COMMAND_OUTPUT_MAX, "a password is at most a command's output");

/* Removes the line end. Returns NULL, or why the rest is no password. */
static const char *trim_line(Secret *text)
{
        if (text->size > 0 && text->data[text->size - 1] == '\n')
                secret_truncate(text, text->size - 1);
        if (text->size > 0 && text->data[text->size - 1] == '\r')
                secret_truncate(text, text->size - 1);
        if (text->size == 0)
                return "empty";
        if (memchr(text->data, '\0', text->size))
                return "not text: it has a NUL byte";
        if (memchr(text->data, '\n', text->size) || memchr(text->data, '\r', text->size))
                return "more than one line";
        return NULL;
}

static bool read_command(Secret *ret, char *reason, size_t reason_size,
        const ClusterConfig *cluster, uint64_t timeout_usec)
{
        CLEANUP(freep) char **words = NULL;
        int r = password_command_parse(&words, cluster->password_command, cluster);
        const char *problem;

        if (r < 0) {
                text_format(reason, reason_size, "password-command: %s", strerror(-r));
                return false;
        }
        if (!command_run(ret, reason, reason_size, words, timeout_usec))
                return false;
        problem = trim_line(ret);
        if (problem)
                text_format(reason, reason_size, "the output of %s is %s", words[0], problem);
        return !problem;
}

static bool read_file(Secret *ret, char *reason, size_t reason_size, const char *path)
{
        int r = file_read(ret, AT_FDCWD, path, LOGIN_PASSWORD_MAX);
        const char *problem = r < 0 ? strerror(-r) : trim_line(ret);

        if (problem)
                text_format(reason, reason_size, "%s: %s", path, problem);
        return !problem;
}

static bool read_credential(Secret *ret, char *reason, size_t reason_size, const char *name)
{
        char directory[CONFIG_PATH_MAX], path[CONFIG_PATH_MAX];
        int r = paths_directory(directory, sizeof(directory), PATHS_DIRECTORY_CREDENTIALS);

        if (r == 0 && directory[0] == '\0')
                r = -ENOENT;
        if (r < 0) {
                text_format(
                        reason, reason_size, "$CREDENTIALS_DIRECTORY/%s: %s", name, strerror(-r));
                return false;
        }
        text_format(path, sizeof(path), "%s/%s", directory, name);
        return read_file(ret, reason, reason_size, path);
}

bool login_read_password(Secret *ret, char *reason, size_t reason_size,
        const ClusterConfig *cluster, uint64_t timeout_usec)
{
        if (cluster->password_command[0] != '\0')
                return read_command(ret, reason, reason_size, cluster, timeout_usec);
        if (cluster->password_file[0] != '\0')
                return read_file(ret, reason, reason_size, cluster->password_file);
        return read_credential(ret, reason, reason_size, cluster->password_credential);
}

/* A command may take half of the time left, so that time remains for the session. */
static bool read_password(Secret *ret, Outcome *outcome, const ClusterConfig *cluster,
        uint64_t deadline_usec, Redactor *redactor)
{
        char reason[OUTCOME_TEXT_MAX];

        if (login_read_password(
                    ret, reason, sizeof(reason), cluster, clock_left_usec(deadline_usec) / 2)) {
                if (redactor_add_text(redactor, ret) == 0)
                        return true;
                text_set(reason, sizeof(reason), strerror(ENOMEM));
        }
        outcome->kind = OUTCOME_AUTH;
        text_format(outcome->text, sizeof(outcome->text), "no password: %s", reason);
        text_set(outcome->next_step, sizeof(outcome->next_step),
                cluster->password_command[0] != '\0'
                        ? "run password-command by hand as the service's user"
                        : cluster->password_file[0] != '\0'
                        ? "let the service's user read password-file; it is one line"
                        : "hand the credential to the unit: LoadCredential= in a drop-in, as "
                          "examples/credentials.conf shows");
        return false;
}

/* A password may have been changed after it was read, and a token may have expired. An unchanged
 * password would be refused again and count as another failed login of the account. */
static bool read_changed_password(
        Secret *password, const ClusterConfig *cluster, uint64_t deadline_usec, Redactor *redactor)
{
        CLEANUP(secret_done) Secret again = SECRET_NULL;
        Outcome unused = {0};

        if (!read_password(&again, &unused, cluster, deadline_usec, redactor) ||
                (cluster->password_command[0] == '\0' && secret_equal(&again, password)))
                return false;
        secret_done(password);
        *password = again;
        again = SECRET_NULL;
        return true;
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
                .host = cluster->host,
                .port = cluster->port,
                .user = cluster->user,
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
                read_changed_password(&password, cluster, deadline_usec, redactor))
                result = session_open(ret, &target, &password, ret_certificate, &error);
        if (result == SESSION_TLS)
                server_certificate_advise(outcome->next_step, sizeof(outcome->next_step),
                        ret_certificate, cluster->server_ca);
        if (sql_error_fail(outcome, result, &error, NULL))
                return false;
        session_describe(*ret, &outcome->server);
        return true;
}
