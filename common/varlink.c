#include "common/varlink.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/json-writer.h"
#include "common/text.h"

/* [A-Za-z]([-]*[A-Za-z0-9])*(\.[A-Za-z0-9]([-]*[A-Za-z0-9])*)+ : at least two parts, none empty, no
 * dash at the border of a part, a letter first. Capitals are allowed: io.systemd.Resolve. */
static bool is_interface(const char *name, size_t size)
{
        size_t dots = 0;

        if (size == 0 || !isalpha((unsigned char)name[0]))
                return false;
        for (size_t i = 0; i < size; i++) {
                bool border = i == 0 || i + 1 == size || name[i - 1] == '.' || name[i + 1] == '.';
                unsigned char c = (unsigned char)name[i];

                if (c == '.')
                        dots++;
                if (c == '.' || c == '-' ? border : !isalnum(c))
                        return false;
        }
        return dots > 0;
}

static bool is_member(const char *name)
{
        if (!isupper((unsigned char)name[0]))
                return false;
        for (; *name != '\0'; name++)
                if (!isalnum((unsigned char)*name))
                        return false;
        return true;
}

static bool read_flag(bool *ret, const JsonValue *message, const char *key)
{
        const JsonValue *value = json_member(message, key);

        return !value || json_is_null(value) || json_get_boolean(ret, value);
}

static bool read_parameters(const JsonValue **ret, const JsonValue *message)
{
        const JsonValue *value = json_member(message, "parameters");

        if (value && !json_is_object(value) && !json_is_null(value))
                return false;
        *ret = json_is_object(value) ? value : NULL;
        return true;
}

static bool split_method(VarlinkCall *call, const char *name)
{
        const char *dot = name ? strrchr(name, '.') : NULL;
        size_t size = dot ? (size_t)(dot - name) : 0;

        if (!dot || size >= sizeof(call->interface) || strlen(dot + 1) >= sizeof(call->method) ||
                !is_interface(name, size) || !is_member(dot + 1))
                return false;
        memcpy(call->interface, name, size);
        call->interface[size] = '\0';
        memcpy(call->method, dot + 1, strlen(dot + 1) + 1);
        return true;
}

int varlink_call_parse(VarlinkCall *ret, const char *text, size_t size)
{
        CLEANUP(varlink_call_done) VarlinkCall call = VARLINK_CALL_NULL;
        bool upgrade = false;
        int r;

        r = json_parse(&call.message, text, size);
        if (r < 0)
                return r;
        if (!json_is_object(call.message) ||
                !split_method(&call, json_get_string(json_member(call.message, "method"))) ||
                !read_parameters(&call.parameters, call.message) ||
                !read_flag(&call.oneway, call.message, "oneway") ||
                !read_flag(&call.more, call.message, "more") ||
                !read_flag(&upgrade, call.message, "upgrade"))
                return -EBADMSG;
        *ret = call;
        call = VARLINK_CALL_NULL;
        return 0;
}

void varlink_call_done(VarlinkCall *call)
{
        json_free(call->message);
        *call = VARLINK_CALL_NULL;
}

int varlink_reply_parse(VarlinkReply *ret, const char *text, size_t size)
{
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;
        const JsonValue *error;
        int r;

        r = json_parse(&reply.message, text, size);
        if (r < 0)
                return r;
        error = json_member(reply.message, "error");
        reply.error = json_get_string(error);
        if (!json_is_object(reply.message) || (error && !json_is_null(error) && !reply.error) ||
                !read_parameters(&reply.parameters, reply.message) ||
                !read_flag(&reply.continues, reply.message, "continues"))
                return -EBADMSG;
        *ret = reply;
        reply = VARLINK_REPLY_NULL;
        return 0;
}

void varlink_reply_done(VarlinkReply *reply)
{
        json_free(reply->message);
        *reply = VARLINK_REPLY_NULL;
}

/* Both messages are a name, the parameters and a flag. */
static int message_format(char **ret, size_t *ret_size, const char *key, const char *name,
        const char *parameters, const char *flag)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();
        int r;

        json_open_object(writer);
        if (name)
                json_put_string(writer, key, name);
        json_key(writer, "parameters");
        json_raw(writer, parameters ? parameters : "{}", parameters ? strlen(parameters) : 2);
        if (flag)
                json_put_boolean(writer, flag, true);
        json_close_object(writer);
        r = json_writer_finish(writer, ret);
        if (r == 0)
                *ret_size = strlen(*ret) + 1; /* the NUL of the string ends the message */
        return r;
}

int varlink_call_format(
        char **ret, size_t *ret_size, const char *method, const char *parameters, bool more)
{
        return message_format(ret, ret_size, "method", method, parameters, more ? "more" : NULL);
}

int varlink_reply_format(
        char **ret, size_t *ret_size, const char *parameters, const char *error, bool continues)
{
        return message_format(
                ret, ret_size, "error", error, parameters, continues ? "continues" : NULL);
}

int varlink_pair_format(char **ret, const char *name, const char *value)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();

        json_open_object(writer);
        json_put_string(writer, name, value);
        json_close_object(writer);
        return json_writer_finish(writer, ret);
}

int varlink_refuse(char **ret_parameters, const char **ret_error, const char *error,
        const char *name, const char *value)
{
        *ret_error = error;
        return varlink_pair_format(ret_parameters, name, value);
}

int varlink_refuse_method(char **ret_parameters, const char **ret_error, const VarlinkCall *call)
{
        char method[VARLINK_INTERFACE_MAX + VARLINK_METHOD_MAX];

        snprintf(method, sizeof(method), "%s.%s", call->interface, call->method);
        return varlink_refuse(
                ret_parameters, ret_error, VARLINK_ERROR_METHOD_NOT_FOUND, "method", method);
}

const char *varlink_unknown_parameter(const VarlinkCall *call, const char *const *allowed)
{
        for (size_t i = 0; i < json_size(call->parameters); i++) {
                const char *key = json_key_at(call->parameters, i);

                if (text_index(allowed, key) < 0)
                        return key;
        }
        return NULL;
}
