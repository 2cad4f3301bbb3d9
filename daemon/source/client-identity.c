#include "daemon/source/client-identity.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/macro.h"

_Static_assert(_MATERIAL_FILE_MAX == 3, "CLIENT_IDENTITY_NULL has each file");

static int create(ClientIdentity *identity, MaterialFile file, const Secret *pem)
{
        int fd = file_create_memory("binlog-ssld-client");

        if (fd < 0)
                return fd;
        identity->fd[file] = fd;
        snprintf(identity->path[file], sizeof(identity->path[file]), "/proc/self/fd/%d", fd);
        return file_write_all(fd, pem->data, pem->size);
}

static void overwrite(int fd)
{
        struct stat st;
        void *content;

        if (fstat(fd, &st) < 0 || st.st_size == 0)
                return;
        content = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (content == MAP_FAILED)
                return;
        explicit_bzero(content, (size_t)st.st_size);
        (void)munmap(content, (size_t)st.st_size);
}

int client_identity_create(ClientIdentity *ret, const Secret pem[static _MATERIAL_FILE_MAX])
{
        CLEANUP(client_identity_done) ClientIdentity identity = CLIENT_IDENTITY_NULL;

        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++) {
                int r = create(&identity, file, &pem[file]);

                if (r < 0)
                        return r;
        }
        *ret = identity;
        identity = CLIENT_IDENTITY_NULL;
        return 0;
}

void client_identity_done(ClientIdentity *identity)
{
        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++)
                if (identity->fd[file] >= 0) {
                        overwrite(identity->fd[file]);
                        closep(&identity->fd[file]);
                }
        *identity = CLIENT_IDENTITY_NULL;
}
