#pragma once

/*
 * Varlink: parses and formats Varlink messages (varlink.org), without their transport.
 *
 * A call is {"method", "parameters"?, "oneway"?, "more"?, "upgrade"?}, a reply {"parameters",
 * "continues"?, "error"?}. Unknown members of a message are ignored, as the protocol requires; a
 * message with a member of a wrong type is refused.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/json-reader.h"

#define VARLINK_INTERFACE_MAX 128 /* bytes of an interface's name, with NUL */
#define VARLINK_METHOD_MAX    64

/* The errors of every Varlink service. */
#define VARLINK_ERROR_INTERFACE_NOT_FOUND    "org.varlink.service.InterfaceNotFound"
#define VARLINK_ERROR_METHOD_NOT_FOUND       "org.varlink.service.MethodNotFound"
#define VARLINK_ERROR_METHOD_NOT_IMPLEMENTED "org.varlink.service.MethodNotImplemented"
#define VARLINK_ERROR_INVALID_PARAMETER      "org.varlink.service.InvalidParameter"
#define VARLINK_ERROR_PERMISSION_DENIED      "org.varlink.service.PermissionDenied"
#define VARLINK_ERROR_EXPECTED_MORE          "org.varlink.service.ExpectedMore"

typedef struct VarlinkCall {
        JsonValue *message; /* owns everything below */
        char interface[VARLINK_INTERFACE_MAX];
        char method[VARLINK_METHOD_MAX]; /* the last part of the dotted name */
        const JsonValue *parameters;     /* an object, or NULL when absent or null */
        bool oneway;                     /* must not be answered, not even with an error */
        bool more;                       /* the client accepts several replies */
} VarlinkCall;

#define VARLINK_CALL_NULL ((VarlinkCall){0})

typedef struct VarlinkReply {
        JsonValue *message;          /* owns everything below */
        const JsonValue *parameters; /* an object, or NULL */
        const char *error;           /* the error's full name, or NULL */
        bool continues;
} VarlinkReply;

#define VARLINK_REPLY_NULL ((VarlinkReply){0})

/* Parse a message without its NUL byte. -EBADMSG: not a call or a reply; the connection cannot be
 * used any more. -ENOMEM. */
int varlink_call_parse(VarlinkCall *ret, const char *text, size_t size);
void varlink_call_done(VarlinkCall *call);

int varlink_reply_parse(VarlinkReply *ret, const char *text, size_t size);
void varlink_reply_done(VarlinkReply *reply);

/* Format a message with the NUL byte that ends it; `ret_size` counts that byte. `parameters` is a
 * JSON document, or NULL for {}. `error` is NULL for a success. */
int varlink_call_format(
        char **ret, size_t *ret_size, const char *method, const char *parameters, bool more);
int varlink_reply_format(
        char **ret, size_t *ret_size, const char *parameters, const char *error, bool continues);

/* Returns {"name": "value"} as a heap string: the parameters of most errors. */
int varlink_pair_format(char **ret, const char *name, const char *value);

/* Sets an error with such parameters as the reply. */
int varlink_refuse(char **ret_parameters, const char **ret_error, const char *error,
        const char *name, const char *value);

/* The same: MethodNotFound with the full name of the method. */
int varlink_refuse_method(char **ret_parameters, const char **ret_error, const VarlinkCall *call);

/* Returns the first parameter whose name is not in `allowed`, or NULL. `allowed` ends with NULL. */
const char *varlink_unknown_parameter(const VarlinkCall *call, const char *const *allowed);
