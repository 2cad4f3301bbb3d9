/*
 * Floor: what an import costs at least, to compare with what watches, checks and repeats.
 *
 * bench-floor PORT SERVER-CA PASSWORD-FILE DIRECTORY USER...
 *
 * Sends the set of the directory as each user, all at the same time, with a process for each: one
 * connection to localhost over verified TLS, one prepared CALL. It does not look at the files, so
 * the key must have the form that the procedure wants. Exit status 0: every CALL has succeeded.
 */

#include <sys/wait.h>

#include <err.h>
#include <mysql.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 65536

static const char call[] = "CALL mysql.rds_import_binlog_ssl_material(?)";

static const char *read_file(const char *directory, const char *name)
{
        char path[4096];
        char *text = calloc(1, FILE_MAX);
        FILE *file;

        (void)snprintf(path, sizeof(path), "%s%s%s", directory, *directory ? "/" : "", name);
        file = fopen(path, "re");
        if (!text || !file || fread(text, 1, FILE_MAX - 1, file) == 0)
                err(1, "%s", path);
        (void)fclose(file);
        return text;
}

static char *make_payload(const char *directory)
{
        char *payload;

        if (asprintf(&payload, "{\"ssl_ca\":\"%s\",\"ssl_cert\":\"%s\",\"ssl_key\":\"%s\"}",
                    read_file(directory, "ca.pem"), read_file(directory, "client-cert.pem"),
                    read_file(directory, "client-key.pem")) < 0)
                err(1, "asprintf");
        return payload;
}

static void import(
        unsigned port, const char *ca, const char *user, const char *password, char *payload)
{
        static const my_bool yes = 1;
        static const unsigned tcp = MYSQL_PROTOCOL_TCP;
        MYSQL *mysql = mysql_init(NULL);
        MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_STRING,
                .buffer = payload,
                .buffer_length = strlen(payload)};
        MYSQL_STMT *statement;

        if (!mysql || mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &tcp) != 0 ||
                mysql_optionsv(mysql, MYSQL_OPT_SSL_CA, ca) != 0 ||
                mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes) != 0)
                errx(1, "libmariadb");
        if (!mysql_real_connect(mysql, "localhost", user, password, NULL, port, NULL, 0))
                errx(1, "%s", mysql_error(mysql));
        statement = mysql_stmt_init(mysql);
        if (!statement || mysql_stmt_prepare(statement, call, sizeof(call) - 1) != 0 ||
                mysql_stmt_bind_param(statement, &bind) != 0 || mysql_stmt_execute(statement) != 0)
                errx(1, "%s", statement ? mysql_stmt_error(statement) : mysql_error(mysql));
        (void)mysql_stmt_close(statement);
        mysql_close(mysql);
}

int main(int argc, char **argv)
{
        int status, failed = 0;
        const char *line;
        char *payload, *password;

        if (argc < 6)
                errx(2, "PORT SERVER-CA PASSWORD-FILE DIRECTORY USER...");
        line = read_file("", argv[3]);
        password = strndup(line, strcspn(line, "\n"));
        payload = make_payload(argv[4]);
        /* What each connection would do again. */
        if (mysql_library_init(0, NULL, NULL) != 0 || OPENSSL_init_ssl(0, NULL) != 1)
                errx(1, "libmariadb, libssl");
        for (int i = 5; i < argc; i++) {
                pid_t pid = fork();

                if (pid < 0)
                        err(1, "fork");
                if (pid == 0) {
                        import((unsigned)atoi(argv[1]), argv[2], argv[i], password, payload);
                        _exit(0);
                }
        }
        while (wait(&status) > 0)
                failed |= status;
        return failed != 0;
}
