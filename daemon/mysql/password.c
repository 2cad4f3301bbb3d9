#include "daemon/mysql/password.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/command.h"
#include "common/file.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/config/password-command.h"
#include "daemon/config/paths.h"
#include "daemon/mysql/password-json.h"

_Static_assert(PASSWORD_MAX == COMMAND_OUTPUT_MAX, "a password is at most a command's output");

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

/* Leaves the password alone. Returns NULL, or what the text is instead. */
static const char *extract_password(Secret *text, const LoginConfig *login)
{
        if (login->password.field[0] != '\0')
                return password_json_read(text, text, login->password.field);
        return trim_line(text);
}

static bool read_command(Secret *ret, char *reason, size_t reason_size, const LoginConfig *login,
        uint64_t timeout_usec)
{
        CLEANUP(freep) char **words = NULL;
        int r = password_command_parse(&words, login->password.command, login);
        const char *problem;

        if (r < 0) {
                text_format(reason, reason_size, "password-command: %s", strerror(-r));
                return false;
        }
        if (!command_run(ret, reason, reason_size, words, timeout_usec))
                return false;
        problem = extract_password(ret, login);
        if (problem)
                text_format(reason, reason_size, "the output of %s is %s", words[0], problem);
        return !problem;
}

static bool read_file(
        Secret *ret, char *reason, size_t reason_size, const char *path, const LoginConfig *login)
{
        int r = file_read(ret, AT_FDCWD, path, PASSWORD_MAX);
        const char *problem = r < 0 ? strerror(-r) : extract_password(ret, login);

        if (problem)
                text_format(reason, reason_size, "%s: %s", path, problem);
        return !problem;
}

static bool read_credential(Secret *ret, char *reason, size_t reason_size, const LoginConfig *login)
{
        const char *name = login->password.credential;
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
        return read_file(ret, reason, reason_size, path, login);
}

bool password_read(Secret *ret, char *reason, size_t reason_size, const LoginConfig *login,
        uint64_t timeout_usec)
{
        if (login->password.command[0] != '\0')
                return read_command(ret, reason, reason_size, login, timeout_usec);
        if (login->password.file[0] != '\0')
                return read_file(ret, reason, reason_size, login->password.file, login);
        return read_credential(ret, reason, reason_size, login);
}

bool password_read_changed(Secret *password, const LoginConfig *login, uint64_t timeout_usec)
{
        CLEANUP(secret_done) Secret again = SECRET_NULL;
        char unused[1];

        if (!password_read(&again, unused, sizeof(unused), login, timeout_usec) ||
                (login->password.command[0] == '\0' && secret_equal(&again, password)))
                return false;
        secret_done(password);
        *password = again;
        again = SECRET_NULL;
        return true;
}

static bool is_blank(char byte)
{
        return byte == ' ' || byte == '\t';
}

const char *password_peculiarity(const Secret *password, const LoginConfig *login)
{
        char first = password->size > 0 ? password->data[0] : '\0';
        char last = password->size > 0 ? password->data[password->size - 1] : '\0';

        if (first == '{' && last == '}' && login->password.field[0] == '\0')
                return "it looks like a JSON document, of which password-field takes one member";
        if (password->size > 1 && first == last && (first == '"' || first == '\''))
                return "it stands in quotes, which are a part of it";
        if (is_blank(last))
                return "it ends in a blank";
        return is_blank(first) ? "it begins with a blank" : NULL;
}
