/* Whatever greets is one of the kinds, and what it says is fit to be shown. */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/text.h"
#include "daemon/greeting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        Greeting greeting;

        if (size >= GREETING_HEAD)
                MUST(greeting_size(data) <= GREETING_MAX);
        memset(&greeting, 0xff, sizeof(greeting));
        greeting_parse(&greeting, data, size);
        MUST(greeting.kind < _GREETING_KIND_MAX);
        MUST(text_is_utf8(greeting.text, strnlen(greeting.text, sizeof(greeting.text))));
        MUST(strnlen(greeting.text, sizeof(greeting.text)) < sizeof(greeting.text));
        MUST((greeting.kind != GREETING_TLS && greeting.kind != GREETING_NO_TLS) || data[0] == 10);
        MUST(greeting.kind != GREETING_ERROR || data[0] == 0xff);
        MUST(greeting.number < 65536);
        return 0;
}
