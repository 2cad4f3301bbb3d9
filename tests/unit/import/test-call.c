/*
 * The functions of the session are stand-ins, so that the linker takes no session.o from the
 * library. The sets are those that the build makes (tests/pki).
 */

#include "tests/unit/test.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/macro.h"
#include "common/text.h"
#include "daemon/import/call.h"
#include "daemon/inspect/payload.h"
#include "tests/unit/pem-fixture.h"

#define STRICT "a\\nb"
#define RAW    "a\nb"

/* The answers to the first and the second CALL, and the documents that the server received. */
static struct {
        struct {
                SessionResult result;
                bool unsent;
                unsigned number;
                const char *text;
        } answers[2];
        char documents[2][sizeof(STRICT)];
        unsigned n_calls;
        bool in_transaction; /* after the CALL */
        SessionResult commit;
        unsigned n_commits;
} server;

static CallPayload payload;
static Outcome outcome;

SessionResult session_call(Session *session, const char *statement, const Secret *document,
        bool *ret_sent, SessionError *ret_error)
{
        unsigned i = server.n_calls++;

        assert_null(session);
        assert_string_equal(statement, "CALL mysql.rds_import_binlog_ssl_material(?)");
        assert_true(i < 2 && document->size < sizeof(STRICT));
        memcpy(server.documents[i], document->data, document->size);
        *ret_sent = !server.answers[i].unsent;
        ret_error->number = server.answers[i].number;
        text_set(ret_error->text, sizeof(ret_error->text), server.answers[i].text);
        return server.answers[i].result;
}

SessionResult session_query(Session *session, const char *statement, session_row_fn fn,
        void *userdata, SessionError *ret_error)
{
        static const char *const names[] = {"CURRENT_USER()"}, *const values[] = {"importer@%"};

        assert_null(session);
        if (strcmp(statement, "COMMIT") == 0) {
                server.n_commits++;
                ret_error->number = server.commit == SESSION_SERVER ? 1180 : 2013;
                return server.commit;
        }
        assert_string_equal(statement, "SELECT CURRENT_USER()");
        fn(userdata, 1, names, values);
        return SESSION_OK;
}

bool session_in_transaction(const Session *session)
{
        return server.in_transaction;
}

static int make(void **state)
{
        memset(&server, 0, sizeof(server));
        payload = (CallPayload){STRICT, strlen(STRICT), NEWLINES_AUTO};
        outcome = (Outcome){.kind = OUTCOME_IMPORTED};
        return 0;
}

#define call_test(test) cmocka_unit_test_setup(test, make)

static void answer(unsigned call, SessionResult result, unsigned number, const char *text)
{
        server.answers[call].result = result;
        server.answers[call].number = number;
        server.answers[call].text = text;
}

static void call(Newlines configured)
{
        call_import(&outcome, NULL, &payload, configured);
}

static void expect_documents(const char *first, const char *second)
{
        assert_int_equal(server.n_calls, second ? 2 : 1);
        assert_string_equal(server.documents[0], first);
        assert_string_equal(server.documents[1], second ? second : "");
}

static void test_a_configured_form_is_the_only_one_that_is_sent(void **state)
{
        static const Newlines forms[] = {NEWLINES_RAW, NEWLINES_ESCAPED};

        for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
                make(state);
                payload.newlines = forms[1 - i]; /* the record has the other one */
                answer(0, SESSION_SERVER, 1644, "refused");
                call(forms[i]);
                expect_documents(forms[i] == NEWLINES_RAW ? RAW : STRICT, NULL);
                assert_int_equal(outcome.kind, OUTCOME_REJECTED);
                assert_int_equal(outcome.effect.newlines, NEWLINES_AUTO);
                make(state);
                call(forms[i]);
                assert_true(outcome.effect.committed);
                assert_int_equal(outcome.effect.newlines, forms[i]);
                assert_false(outcome.effect.newlines_learned);
        }
}

static void test_the_raw_form_is_sent_first_and_learned_if_it_works(void **state)
{
        call(NEWLINES_AUTO);
        expect_documents(RAW, NULL);
        assert_int_equal(outcome.kind, OUTCOME_IMPORTED);
        assert_true(outcome.effect.committed);
        assert_int_equal(outcome.effect.newlines, NEWLINES_RAW);
        assert_true(outcome.effect.newlines_learned);
}

static void test_a_transaction_that_the_procedure_left_open_is_committed(void **state)
{
        static const struct {
                bool open;
                SessionResult commit;
                unsigned n_commits;
                OutcomeKind kind;
                bool committed, in_doubt;
        } cases[] = {
                {false, SESSION_LOST, 0, OUTCOME_IMPORTED, true, false},
                {true, SESSION_OK, 1, OUTCOME_IMPORTED, true, false},
                {true, SESSION_SERVER, 1, OUTCOME_REJECTED, false, false},
                {true, SESSION_LOST, 1, OUTCOME_UNKNOWN, false, true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                make(state);
                server.in_transaction = cases[i].open;
                server.commit = cases[i].commit;
                call(NEWLINES_RAW);
                assert_int_equal(server.n_commits, cases[i].n_commits);
                assert_int_equal(outcome.kind, cases[i].kind);
                assert_int_equal(outcome.effect.committed, cases[i].committed);
                assert_int_equal(outcome.effect.in_doubt, cases[i].in_doubt);
        }
}

static void test_the_form_that_worked_before_is_sent_first(void **state)
{
        payload.newlines = NEWLINES_ESCAPED;
        call(NEWLINES_AUTO);
        expect_documents(STRICT, NULL);
        assert_int_equal(outcome.effect.newlines, NEWLINES_ESCAPED);
        assert_false(outcome.effect.newlines_learned);
        make(state);
        payload.newlines = NEWLINES_ESCAPED;
        answer(0, SESSION_SERVER, 1644, "refused");
        call(NEWLINES_AUTO);
        expect_documents(STRICT, RAW);
        assert_int_equal(outcome.effect.newlines, NEWLINES_RAW);
        assert_true(outcome.effect.newlines_learned);
}

static void test_the_other_form_is_sent_if_the_error_can_concern_the_form(void **state)
{
        static const struct {
                unsigned number;
                bool other_form;
        } cases[] = {{1644, true}, {3139, false}, {3140, true}, {3158, true}, {3159, false},
                {4034, false}, {4035, true}, {4043, true}, {4044, false}, {1305, false},
                {1370, false}, {0, false}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                make(state);
                answer(0, SESSION_SERVER, cases[i].number, "refused");
                call(NEWLINES_AUTO);
                expect_documents(RAW, cases[i].other_form ? STRICT : NULL);
                assert_int_equal(outcome.effect.committed, cases[i].other_form);
                assert_int_equal(outcome.kind == OUTCOME_IMPORTED, cases[i].other_form);
        }
}

static void test_only_an_error_of_the_server_can_concern_the_form(void **state)
{
        for (SessionResult result = SESSION_UNREACHABLE; result < _SESSION_RESULT_MAX; result++) {
                make(state);
                answer(0, result, 1644, "failed");
                answer(1, SESSION_SERVER, 1644, "failed");
                call(NEWLINES_AUTO);
                assert_int_equal(server.n_calls, result == SESSION_SERVER ? 2 : 1);
                assert_false(outcome.effect.committed);
        }
}

static void test_two_different_errors_are_both_reported(void **state)
{
        answer(0, SESSION_SERVER, 1644, "no PEM");
        answer(1, SESSION_SERVER, 3140, "no JSON");
        call(NEWLINES_AUTO);
        assert_int_equal(outcome.kind, OUTCOME_REJECTED);
        assert_int_equal(outcome.sql_errno, 1644);
        assert_string_equal(outcome.text, "no PEM; and with escaped line ends: no JSON");
        assert_int_equal(outcome.effect.newlines, NEWLINES_AUTO);
        make(state);
        answer(0, SESSION_SERVER, 1644, "no PEM");
        answer(1, SESSION_SERVER, 1644, "no PEM");
        call(NEWLINES_AUTO);
        assert_string_equal(outcome.text, "no PEM");
}

static void test_a_connection_that_breaks_in_the_second_call_is_the_outcome(void **state)
{
        answer(0, SESSION_SERVER, 1644, "no PEM");
        answer(1, SESSION_LOST, 2013, "lost");
        call(NEWLINES_AUTO);
        assert_int_equal(outcome.kind, OUTCOME_UNKNOWN);
        assert_true(outcome.effect.in_doubt);
        assert_int_equal(outcome.sql_errno, 2013);
        assert_string_equal(outcome.text, "lost");
}

static void test_a_connection_that_broke_is_in_doubt_only_if_the_payload_was_sent(void **state)
{
        for (unsigned unsent = 0; unsent <= 1; unsent++) {
                make(state);
                answer(0, SESSION_LOST, 2013, "lost");
                server.answers[0].unsent = unsent;
                call(NEWLINES_AUTO);
                assert_int_equal(outcome.kind, unsent ? OUTCOME_UNREACHABLE : OUTCOME_UNKNOWN);
                assert_int_equal(outcome.effect.in_doubt, !unsent);
        }
}

static void test_a_missing_privilege_is_reported_with_the_whole_grant(void **state)
{
        answer(0, SESSION_SERVER, 1370, "denied");
        call(NEWLINES_AUTO);
        assert_int_equal(outcome.kind, OUTCOME_NO_PRIVILEGE);
        assert_non_null(strstr(outcome.next_step,
                "GRANT EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material TO "
                "'importer'@'%'"));
}

static Secret build(const Pem *pem)
{
        Secret document = SECRET_NULL;

        assert_int_equal(payload_build(&document, pem), 0);
        return document;
}

static void test_the_raw_form_differs_only_in_its_line_ends(void **state)
{
        CLEANUP(pem_done) Pem good = pem_fixture_load("good");
        CLEANUP(secret_done) Secret strict = build(&good);
        CLEANUP(secret_done) Secret raw = SECRET_NULL;
        size_t at = 0;

        assert_int_equal(call_payload_raw(&raw, strict.data, strict.size), 0);
        assert_null(strchr(raw.data, '\\'));
        for (size_t i = 0; i < raw.size; i++) {
                if (raw.data[i] == '\n') {
                        assert_memory_equal(strict.data + at, "\\n", 2);
                        at++;
                } else
                        assert_int_equal(raw.data[i], strict.data[at]);
                at++;
        }
        assert_int_equal(at, strict.size);
}

static void test_only_escaped_line_ends_are_replaced(void **state)
{
        static const struct {
                const char *strict, *raw;
        } cases[] = {{"", ""}, {"abc", "abc"}, {"a\\nb", "a\nb"}, {"\\n\\n", "\n\n"},
                {"n\\", "n\\"}, {"a\\", "a\\"}, {"\\t", "\\t"}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(secret_done) Secret raw = SECRET_NULL;

                assert_int_equal(
                        call_payload_raw(&raw, cases[i].strict, strlen(cases[i].strict)), 0);
                assert_int_equal(raw.size, strlen(cases[i].raw));
                assert_string_equal(raw.data, cases[i].raw);
        }
}

static void test_no_byte_of_the_key_precedes_its_offset_in_either_form(void **state)
{
        CLEANUP(pem_done) Pem good = pem_fixture_load("good-chain");
        CLEANUP(secret_done) Secret strict = build(&good);
        CLEANUP(secret_done) Secret raw = SECRET_NULL;
        size_t offset = call_key_offset(strict.data, strict.size);

        assert_int_equal(call_payload_raw(&raw, strict.data, strict.size), 0);
        assert_memory_equal(raw.data + offset, "\"ssl_key\":", 10);
        assert_true(offset > 2000 && memmem(strict.data, offset, "ssl_key", 7) == NULL);
        assert_int_equal(call_key_offset("{}", 2), 0);
        assert_int_equal(call_key_offset("", 0), 0);
}

static void test_the_size_of_the_packet_is_that_of_the_form_that_is_sent_first(void **state)
{
        static const char text[] = "{\"ssl_ca\":\"a\\nb\\n\"}"; /* 19 bytes, two line ends */
        CallPayload document = {.data = text, .size = strlen(text)};

        assert_int_equal(call_packet_size(&document, NEWLINES_AUTO), 17 + 17);
        assert_int_equal(call_packet_size(&document, NEWLINES_RAW), 17 + 17);
        assert_int_equal(call_packet_size(&document, NEWLINES_ESCAPED), 17 + 19);
        document.newlines = NEWLINES_ESCAPED;
        assert_int_equal(call_packet_size(&document, NEWLINES_AUTO), 17 + 19);
        assert_int_equal(call_packet_size(&document, NEWLINES_RAW), 17 + 17);
}

static void test_each_member_is_the_pem_of_its_file(void **state)
{
        static const char *const begins[_MATERIAL_FILE_MAX] = {
                [MATERIAL_CA] = "-----BEGIN CERTIFICATE-----\n",
                [MATERIAL_CERT] = "-----BEGIN CERTIFICATE-----\n",
                [MATERIAL_KEY] = "-----BEGIN RSA PRIVATE KEY-----\n",
        };
        CLEANUP(pem_done) Pem good = pem_fixture_load("good-chain");
        CLEANUP(secret_done) Secret strict = build(&good);
        CallPayload document = {.data = strict.data, .size = strict.size};
        Secret files[_MATERIAL_FILE_MAX];

        assert_int_equal(call_payload_files(files, &document), 0);
        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++) {
                assert_memory_equal(files[file].data, begins[file], strlen(begins[file]));
                assert_memory_equal(files[file].data + files[file].size - 6, "-----\n", 6);
                assert_null(strchr(files[file].data, '\\'));
                assert_null(strchr(files[file].data, '"'));
                secret_done(&files[file]);
        }
}

static void test_a_document_without_a_member_is_refused(void **state)
{
        static const char good[] = "{\"ssl_ca\":\"a\",\"ssl_cert\":\"b\",\"ssl_key\":\"c\"}";
        static const char *const texts[] = {"", "{}",
                "{\"ssl_ca\":\"a\",\"ssl_cert\":\"b\",\"ssl_key\":\"",
                "{\"ssl_ca\":\"a\",\"ssl_cert\":\"b\",\"ssl_key\":\"c",
                "{\"ssl_ca\":\"a\",\"ssl_cert\":\"b\"}", "{\"ssl_cert\":\"b\",\"ssl_key\":\"c\"}"};
        CallPayload document = {.data = good, .size = strlen(good)};
        Secret files[_MATERIAL_FILE_MAX];

        assert_int_equal(call_payload_files(files, &document), 0);
        for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++)
                secret_done(&files[file]);
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                document = (CallPayload){.data = texts[i], .size = strlen(texts[i])};
                assert_int_equal(call_payload_files(files, &document), -EBADMSG);
                for (MaterialFile file = 0; file < _MATERIAL_FILE_MAX; file++)
                        assert_null(files[file].data);
        }
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                call_test(test_a_configured_form_is_the_only_one_that_is_sent),
                call_test(test_the_raw_form_is_sent_first_and_learned_if_it_works),
                call_test(test_a_transaction_that_the_procedure_left_open_is_committed),
                call_test(test_the_form_that_worked_before_is_sent_first),
                call_test(test_the_other_form_is_sent_if_the_error_can_concern_the_form),
                call_test(test_only_an_error_of_the_server_can_concern_the_form),
                call_test(test_two_different_errors_are_both_reported),
                call_test(test_a_connection_that_breaks_in_the_second_call_is_the_outcome),
                call_test(test_a_connection_that_broke_is_in_doubt_only_if_the_payload_was_sent),
                call_test(test_a_missing_privilege_is_reported_with_the_whole_grant),
                cmocka_unit_test(test_the_raw_form_differs_only_in_its_line_ends),
                cmocka_unit_test(test_only_escaped_line_ends_are_replaced),
                cmocka_unit_test(test_no_byte_of_the_key_precedes_its_offset_in_either_form),
                cmocka_unit_test(
                        test_the_size_of_the_packet_is_that_of_the_form_that_is_sent_first),
                cmocka_unit_test(test_each_member_is_the_pem_of_its_file),
                cmocka_unit_test(test_a_document_without_a_member_is_refused),
        };

        if (argc != 2)
                return 2;
        pem_fixture_set_root(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
