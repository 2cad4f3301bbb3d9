/* A text has a password that can be sent, or a problem; the JSON reader finds the same one. */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/json-reader.h"
#include "common/macro.h"
#include "common/text.h"
#include "daemon/mysql/password-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(secret_done) Secret text = SECRET_NULL, password = SECRET_NULL;
        CLEANUP(json_freep) JsonValue *value = NULL;
        const char *member = NULL, *problem;

        MUST(secret_append(&text, data, size) == 0);
        problem = password_json_read(&password, &text, "password");
        if (json_parse(&value, text.data, text.size) == 0)
                member = json_get_string(json_member(value, "password"));
        if (problem) {
                MUST(problem[0] != '\0' && !password.data && (!member || member[0] == '\0'));
                return 0;
        }
        MUST(password.size > 0 && strlen(password.data) == password.size);
        MUST(text_is_utf8(password.data, password.size));
        MUST(!value || (member && strcmp(member, password.data) == 0));
        return 0;
}
