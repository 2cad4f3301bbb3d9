/* Every configuration is either loaded or refused with an error and its place. */

#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/config/config-load.h"
#include "daemon/config/password-command.h"

/* It can be run: each word is there, and the first is a path. */
static void check_command(const LoginConfig *login)
{
        CLEANUP(freep) char **words = NULL;
        int n;

        if (login->password.command[0] == '\0')
                return;
        n = password_command_parse(&words, login->password.command, login);
        MUST(n > 0 && words[0][0] == '/' && !words[n]);
        for (int i = 0; i < n; i++)
                MUST(words[i] && strlen(words[i]) < CONFIG_VALUE_MAX * CONFIG_VALUE_MAX);
}

static int count_passwords(const LoginConfig *login)
{
        return (login->password.file[0] != '\0') + (login->password.credential[0] != '\0') +
                (login->password.command[0] != '\0');
}

static void check(const Config *config)
{
        MUST(config->n_clusters > 0 && config->n_clusters <= CONFIG_CLUSTERS_MAX);
        MUST(config->retry_min_usec <= config->retry_max_usec);
        for (size_t i = 0; i < config->n_clusters; i++) {
                const ClusterConfig *cluster = &config->clusters[i];

                MUST(cluster->material < config->n_materials);
                MUST(cluster->login.host[0] != '\0' && cluster->login.port > 0 &&
                        cluster->login.port < 65536);
                MUST(count_passwords(&cluster->login) == 1);
                MUST(count_passwords(&cluster->source) <= 1);
                MUST(cluster->source.port < 65536);
                MUST(cluster->auth_plugins != 0);
                check_command(&cluster->login);
                check_command(&cluster->source);
        }
        for (size_t i = 0; i < config->n_materials; i++)
                for (unsigned k = 0; k < _MATERIAL_FILE_MAX; k++)
                        MUST(config->materials[i].path[k][0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(closep) int fd = memfd_create("fuzz", MFD_CLOEXEC);
        CLEANUP(config_unrefp) Config *config = NULL;
        ConfigProblem problem = {0};
        char path[32];
        int r;

        MUST(fd >= 0 && file_write_all(fd, data, size) == 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        r = config_load(&config, path, &problem);
        if (r == 0) {
                check(config);
                return 0;
        }
        MUST(r == -EINVAL);
        MUST(strcmp(problem.file, path) == 0 && problem.text[0] != '\0');
        MUST(text_is_utf8(problem.text, strlen(problem.text)));
        return 0;
}
