#include "tests/unit/test.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/macro.h"
#include "daemon/source/client-identity.h"

static const char *const texts[_MATERIAL_FILE_MAX] = {"the CA", "the chain\n", "the key\n"};

static ClientIdentity create(void)
{
        ClientIdentity identity = CLIENT_IDENTITY_NULL;
        Secret pem[_MATERIAL_FILE_MAX] = {0};

        for (size_t i = 0; i < _MATERIAL_FILE_MAX; i++)
                assert_int_equal(secret_append(&pem[i], texts[i], strlen(texts[i])), 0);
        assert_int_equal(client_identity_create(&identity, pem), 0);
        for (size_t i = 0; i < _MATERIAL_FILE_MAX; i++)
                secret_done(&pem[i]);
        return identity;
}

static void test_each_file_can_be_read_by_its_name_more_than_once(void **state)
{
        CLEANUP(client_identity_done) ClientIdentity identity = create();

        for (size_t i = 0; i < 2 * _MATERIAL_FILE_MAX; i++) {
                CLEANUP(secret_done) Secret content = SECRET_NULL;
                size_t file = i % _MATERIAL_FILE_MAX;

                assert_int_equal(file_read(&content, AT_FDCWD, identity.path[file], 100), 0);
                assert_string_equal(content.data, texts[file]);
        }
}

static void test_no_file_is_in_a_directory_or_reaches_a_program(void **state)
{
        CLEANUP(client_identity_done) ClientIdentity identity = create();

        for (size_t i = 0; i < _MATERIAL_FILE_MAX; i++) {
                struct stat st;

                assert_int_equal(fstat(identity.fd[i], &st), 0);
                assert_int_equal(st.st_nlink, 0);
                assert_true(fcntl(identity.fd[i], F_GETFD) & FD_CLOEXEC);
        }
}

static void test_the_end_overwrites_each_file(void **state)
{
        ClientIdentity identity = create();
        int copies[_MATERIAL_FILE_MAX];
        char content[100];

        for (size_t i = 0; i < _MATERIAL_FILE_MAX; i++)
                copies[i] = fcntl(identity.fd[i], F_DUPFD_CLOEXEC, 0);
        client_identity_done(&identity);
        for (size_t i = 0; i < _MATERIAL_FILE_MAX; i++) {
                size_t size = strlen(texts[i]);

                assert_int_equal(identity.fd[i], -1);
                assert_int_equal(pread(copies[i], content, sizeof(content), 0), size);
                for (size_t k = 0; k < size; k++)
                        assert_int_equal(content[k], 0);
                close(copies[i]);
        }
        client_identity_done(&identity);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_file_can_be_read_by_its_name_more_than_once),
                cmocka_unit_test(test_no_file_is_in_a_directory_or_reaches_a_program),
                cmocka_unit_test(test_the_end_overwrites_each_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
