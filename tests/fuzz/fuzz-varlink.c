/* A message that can be parsed can be formatted, and the formatted message is the same. */

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/varlink.h"

static void format_call(const VarlinkCall *call)
{
        CLEANUP(varlink_call_done) VarlinkCall again = VARLINK_CALL_NULL;
        CLEANUP(freep) char *text = NULL;
        char name[VARLINK_INTERFACE_MAX + VARLINK_METHOD_MAX];
        size_t size;

        snprintf(name, sizeof(name), "%s.%s", call->interface, call->method);
        MUST(varlink_call_format(&text, &size, name, NULL, call->more) == 0);
        MUST(text[size - 1] == '\0' && strlen(text) == size - 1);
        MUST(varlink_call_parse(&again, text, size - 1) == 0);
        MUST(strcmp(again.interface, call->interface) == 0);
        MUST(strcmp(again.method, call->method) == 0);
        MUST(again.more == call->more && !again.oneway);
}

static void format_reply(const VarlinkReply *reply)
{
        CLEANUP(varlink_reply_done) VarlinkReply again = VARLINK_REPLY_NULL;
        CLEANUP(freep) char *text = NULL;
        size_t size;

        MUST(varlink_reply_format(&text, &size, NULL, reply->error, reply->continues) == 0);
        MUST(varlink_reply_parse(&again, text, size - 1) == 0);
        MUST(!again.error == !reply->error);
        MUST(!again.error || strcmp(again.error, reply->error) == 0);
        MUST(again.continues == reply->continues);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP(varlink_call_done) VarlinkCall call = VARLINK_CALL_NULL;
        CLEANUP(varlink_reply_done) VarlinkReply reply = VARLINK_REPLY_NULL;

        if (varlink_call_parse(&call, (const char *)data, size) == 0) {
                MUST(!call.parameters || json_is_object(call.parameters));
                format_call(&call);
        }
        if (varlink_reply_parse(&reply, (const char *)data, size) == 0) {
                MUST(!reply.parameters || json_is_object(reply.parameters));
                format_reply(&reply);
        }
        return 0;
}
