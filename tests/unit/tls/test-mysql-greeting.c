#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/macro.h"
#include "daemon/tls/mysql-greeting.h"

/* MySQL 8's greeting, with TLS and protocol 4.1 among its capabilities, 0xffff. */
static const uint8_t good[] = "\x0a"
                              "8.0.39\0"
                              "\x07\0\0\0"
                              "abcdefgh\0"
                              "\xff\xff\xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0"
                              "ijklmnopqrst\0"
                              "caching_sha2_password";
#define CAPABILITIES 21 /* offset of the lower two bytes */

/* Parses a block of exactly `size` bytes, so that a sanitizer reports a read beyond it. */
static MysqlGreetingKind parse(MysqlGreeting *ret, const void *payload, size_t size)
{
        uint8_t *exact = malloc(size > 0 ? size : 1);

        assert_non_null(exact);
        memcpy(exact, payload, size);
        memset(ret, 0xaa, sizeof(*ret));
        mysql_greeting_parse(ret, exact, size);
        free(exact);
        return ret->kind;
}

static void test_a_greeting_with_tls_has_the_version(void **state)
{
        MysqlGreeting greeting;

        assert_int_equal(parse(&greeting, good, sizeof(good)), MYSQL_GREETING_TLS);
        assert_string_equal(greeting.text, "8.0.39");
}

static void test_a_greeting_cut_before_its_capabilities_is_broken(void **state)
{
        MysqlGreeting greeting;

        for (size_t size = 0; size <= sizeof(good); size++)
                assert_int_equal(parse(&greeting, good, size),
                        size < CAPABILITIES + 2 ? MYSQL_GREETING_BROKEN : MYSQL_GREETING_TLS);
}

static void test_both_capabilities_are_required(void **state)
{
        static const struct {
                uint8_t low, high;
                MysqlGreetingKind kind;
        } cases[] = {{0x00, 0x0a, MYSQL_GREETING_TLS}, {0xff, 0xf7, MYSQL_GREETING_NO_TLS},
                {0xff, 0xfd, MYSQL_GREETING_NO_TLS}, {0, 0, MYSQL_GREETING_NO_TLS}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint8_t payload[sizeof(good)];
                MysqlGreeting greeting;

                memcpy(payload, good, sizeof(good));
                payload[CAPABILITIES] = cases[i].low;
                payload[CAPABILITIES + 1] = cases[i].high;
                assert_int_equal(parse(&greeting, payload, sizeof(payload)), cases[i].kind);
        }
}

static void test_another_protocol_has_its_number(void **state)
{
        uint8_t payload[sizeof(good)];
        MysqlGreeting greeting;

        memcpy(payload, good, sizeof(good));
        for (unsigned protocol = 0; protocol < 255; protocol++) {
                payload[0] = (uint8_t)protocol;
                if (protocol == 10)
                        continue;
                assert_int_equal(
                        parse(&greeting, payload, sizeof(payload)), MYSQL_GREETING_OTHER_PROTOCOL);
                assert_int_equal(greeting.number, protocol);
        }
}

static void test_an_error_is_read_with_and_without_its_state(void **state)
{
        static const char plain[] = "\xff\x10\x04Too many connections";
        static const char stated[] = "\xff\x69\x04#HY000Host \x1b is blocked";
        MysqlGreeting greeting;

        assert_int_equal(parse(&greeting, plain, sizeof(plain) - 1), MYSQL_GREETING_ERROR);
        assert_int_equal(greeting.number, 1040);
        assert_string_equal(greeting.text, "Too many connections");
        assert_int_equal(parse(&greeting, stated, sizeof(stated) - 1), MYSQL_GREETING_ERROR);
        assert_int_equal(greeting.number, 1129);
        assert_string_equal(greeting.text, "Host   is blocked");
        for (size_t size = 1; size < sizeof(stated) - 1; size++)
                assert_int_equal(parse(&greeting, stated, size),
                        size < 3 ? MYSQL_GREETING_BROKEN : MYSQL_GREETING_ERROR);
}

static void test_a_version_without_an_end_is_broken(void **state)
{
        char payload[MYSQL_GREETING_MAX];
        MysqlGreeting greeting;

        memset(payload, '8', sizeof(payload));
        payload[0] = 10;
        assert_int_equal(parse(&greeting, payload, sizeof(payload)), MYSQL_GREETING_BROKEN);
}

static void test_a_text_longer_than_its_buffer_is_cut(void **state)
{
        char payload[MYSQL_GREETING_MAX];
        MysqlGreeting greeting;

        memset(payload, 'x', sizeof(payload));
        payload[0] = (char)0xff;
        assert_int_equal(parse(&greeting, payload, sizeof(payload)), MYSQL_GREETING_ERROR);
        assert_int_equal(strlen(greeting.text), sizeof(greeting.text) - 1);
}

static void test_a_head_of_another_packet_has_no_size(void **state)
{
        static const struct {
                uint8_t head[MYSQL_GREETING_HEAD];
                size_t size;
        } cases[] = {{{0x4a, 0, 0, 0}, 0x4a}, {{0, 4, 0, 0}, 1024}, {{1, 4, 0, 0}, 0},
                {{0, 0, 1, 0}, 0}, {{0xff, 0xff, 0xff, 0}, 0}, {{0x4a, 0, 0, 1}, 0},
                {{0, 0, 0, 0}, 0}, {{'H', 'T', 'T', 'P'}, 0}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(mysql_greeting_size(cases[i].head), cases[i].size);
}

static void test_the_request_asks_for_tls_and_holds_nothing_else(void **state)
{
        static const uint8_t expected[MYSQL_GREETING_REQUEST_SIZE] = {
                32, 0, 0, 1, 0x01, 0x8a, 0, 0, 0, 0, 1, 0, 45};
        uint8_t packet[MYSQL_GREETING_REQUEST_SIZE];

        memset(packet, 0xaa, sizeof(packet));
        mysql_greeting_request_tls(packet);
        assert_memory_equal(packet, expected, sizeof(expected));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_greeting_with_tls_has_the_version),
                cmocka_unit_test(test_a_greeting_cut_before_its_capabilities_is_broken),
                cmocka_unit_test(test_both_capabilities_are_required),
                cmocka_unit_test(test_another_protocol_has_its_number),
                cmocka_unit_test(test_an_error_is_read_with_and_without_its_state),
                cmocka_unit_test(test_a_version_without_an_end_is_broken),
                cmocka_unit_test(test_a_text_longer_than_its_buffer_is_cut),
                cmocka_unit_test(test_a_head_of_another_packet_has_no_size),
                cmocka_unit_test(test_the_request_asks_for_tls_and_holds_nothing_else),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
