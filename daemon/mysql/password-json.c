#include "daemon/mysql/password-json.h"

#include <errno.h>
#include <string.h>

#include "common/json-reader.h"

/* Returns NULL and the member, or what the document is instead. */
static const char *find(const char **ret, const JsonValue *document, const char *field)
{
        const JsonValue *value = json_member(document, field);

        *ret = json_get_string(value);
        if (!json_is_object(document))
                return "JSON, but not an object";
        if (!value)
                return "a JSON object without password-field";
        if (!*ret)
                return "a JSON object in which password-field is not a string";
        return **ret == '\0' ? "a JSON object in which password-field is empty" : NULL;
}

const char *password_json_read(Secret *ret, const Secret *text, const char *field)
{
        CLEANUP(json_freep) JsonValue *document = NULL;
        CLEANUP(secret_done) Secret password = SECRET_NULL;
        const char *string, *problem;
        int r = json_parse(&document, text->size > 0 ? text->data : "", text->size);

        if (r == -EBADMSG)
                return "not JSON, or has a key twice or too many levels";
        if (r < 0)
                return "too large for the memory";
        problem = find(&string, document, field);
        if (problem)
                return problem;
        if (secret_append(&password, string, strlen(string)) < 0)
                return "too large for the memory";
        secret_done(ret);
        *ret = password;
        password = SECRET_NULL;
        return NULL;
}
