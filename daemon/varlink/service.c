#include "daemon/varlink/service.h"

#include <string.h>

#include "common/json-reader.h"
#include "common/json-writer.h"
#include "common/macro.h"
#include "daemon/model/interface.h"

/* The documentation of the interface (uri(7)). */
#define SERVICE_URL "man:io.binlogssl.Manager(7)"

static int answer_info(const char *version, char **ret)
{
        CLEANUP(json_writer_freep) JsonWriter *writer = json_writer_new();

        json_open_object(writer);
        json_put_string(writer, "vendor", "binlog-ssld");
        json_put_string(writer, "product", "binlog-ssld");
        json_put_string(writer, "version", version);
        json_put_string(writer, "url", SERVICE_URL);
        json_key(writer, "interfaces");
        json_open_array(writer);
        json_string(writer, INTERFACE_SERVICE_NAME);
        json_string(writer, INTERFACE_NAME);
        json_close_array(writer);
        json_close_object(writer);
        return json_writer_finish(writer, ret);
}

static int answer_description(const VarlinkCall *call, char **ret, const char **ret_error)
{
        static const char *const allowed[] = {"interface", NULL};
        const char *wrong = varlink_unknown_parameter(call, allowed);
        const char *name = json_get_string(json_member(call->parameters, "interface"));
        const char *text = NULL;

        if (wrong || !name)
                return varlink_refuse(ret, ret_error, VARLINK_ERROR_INVALID_PARAMETER, "parameter",
                        wrong ? wrong : "interface");
        if (strcmp(name, INTERFACE_NAME) == 0)
                text = interface_description;
        else if (strcmp(name, INTERFACE_SERVICE_NAME) == 0)
                text = interface_service_description;
        if (text)
                return varlink_pair_format(ret, "description", text);
        return varlink_refuse(ret, ret_error, VARLINK_ERROR_INTERFACE_NOT_FOUND, "interface", name);
}

int service_answer(const VarlinkCall *call, const char *version, char **ret, const char **ret_error)
{
        static const char *const none[] = {NULL};
        const char *wrong;

        if (strcmp(call->interface, INTERFACE_SERVICE_NAME) != 0)
                return varlink_refuse(ret, ret_error, VARLINK_ERROR_INTERFACE_NOT_FOUND,
                        "interface", call->interface);
        if (strcmp(call->method, "GetInterfaceDescription") == 0)
                return answer_description(call, ret, ret_error);
        if (strcmp(call->method, "GetInfo") != 0)
                return varlink_refuse_method(ret, ret_error, call);
        wrong = varlink_unknown_parameter(call, none);
        if (wrong)
                return varlink_refuse(
                        ret, ret_error, VARLINK_ERROR_INVALID_PARAMETER, "parameter", wrong);
        return answer_info(version, ret);
}
