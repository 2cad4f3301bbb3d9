#include "daemon/record/record-history.h"

#include <string.h>

#include "common/text.h"

void record_history_write(JsonWriter *writer, const History *history)
{
        HistoryEntry entries[HISTORY_MAX];
        unsigned n = history_read(entries, HISTORY_MAX, history);

        json_open_array(writer);
        for (unsigned i = 0; i < n; i++)
                history_write_entry(writer, &entries[i]);
        json_close_array(writer);
}

static bool read_number(uint64_t *ret, uint64_t maximum, const JsonValue *object, const char *key)
{
        int64_t number;

        if (!json_get_integer(&number, json_member(object, key)) || number < 0 ||
                (uint64_t)number > maximum)
                return false;
        *ret = (uint64_t)number;
        return true;
}

static const char *read_word(const JsonValue *object, const char *key)
{
        const char *word = json_get_string(json_member(object, key));

        return word ? word : "";
}

/* The caller keeps `text`, of HISTORY_TEXT_MAX bytes. */
static bool read_entry(HistoryEntry *ret, char *text, const JsonValue *object)
{
        uint64_t sql_errno = 0, count = 0;

        *ret = (HistoryEntry){.text = text};
        json_get_text(text, HISTORY_TEXT_MAX, object, "reason");
        json_get_text(ret->fingerprint, sizeof(ret->fingerprint), object, "fingerprint");
        if (!json_is_null(json_member(object, "sql_errno")) &&
                !read_number(&sql_errno, UINT16_MAX, object, "sql_errno"))
                return false;
        if (!read_number(&ret->at_usec, INT64_MAX, object, "at") ||
                !read_number(&ret->first_usec, INT64_MAX, object, "first") ||
                !read_number(&ret->duration_usec, INT64_MAX, object, "duration") ||
                !read_number(&count, UINT32_MAX, object, "count") ||
                (ret->fingerprint[0] != '\0' && !report_is_fingerprint(ret->fingerprint)) ||
                history_action_from_string(&ret->action, read_word(object, "action")) < 0 ||
                history_trigger_from_string(&ret->trigger, read_word(object, "trigger")) < 0 ||
                outcome_kind_from_string(&ret->outcome, read_word(object, "outcome")) < 0)
                return false;
        ret->sql_errno = (unsigned)sql_errno;
        ret->count = (unsigned)count;
        return count > 0;
}

History *record_history_read(const JsonValue *array)
{
        size_t size = json_is_array(array) ? json_size(array) : 0;
        char texts[HISTORY_MAX][HISTORY_TEXT_MAX];
        HistoryEntry entries[HISTORY_MAX];
        unsigned n = 0;

        for (size_t i = 0; i < size && n < HISTORY_MAX; i++)
                n += read_entry(&entries[n], texts[n], json_element(array, i));
        return history_new(entries, n);
}
