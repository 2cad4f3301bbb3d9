/* Every greeting has one of the kinds, and its text is displayable. */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/text.h"
#include "daemon/tls/mysql-greeting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        MysqlGreeting greeting;

        if (size >= MYSQL_GREETING_HEAD)
                MUST(mysql_greeting_size(data) <= MYSQL_GREETING_MAX);
        memset(&greeting, 0xff, sizeof(greeting));
        mysql_greeting_parse(&greeting, data, size);
        MUST(greeting.kind < _MYSQL_GREETING_KIND_MAX);
        MUST(text_is_utf8(greeting.text, strnlen(greeting.text, sizeof(greeting.text))));
        MUST(strnlen(greeting.text, sizeof(greeting.text)) < sizeof(greeting.text));
        MUST((greeting.kind != MYSQL_GREETING_TLS && greeting.kind != MYSQL_GREETING_NO_TLS) ||
                data[0] == 10);
        MUST(greeting.kind != MYSQL_GREETING_ERROR || data[0] == 0xff);
        MUST(greeting.number < 65536);
        return 0;
}
