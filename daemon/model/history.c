#include "daemon/model/history.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"

#define SET_SIZE ((REPORT_FINGERPRINT_MAX - 1) / 2)

/* Thousands of clusters have one each (doc/benchmarks.md, "Scale"), so that it is a single block in
 * which an entry has only the parts that it needs: 48 bytes for an import that has succeeded. */
struct History {
        uint32_t n;
        unsigned char bytes[]; /* the newest first: a Head, and the parts that its flags name */
};

enum {
        PART_SET = 1 << 0,      /* SET_SIZE bytes */
        PART_REPEATED = 1 << 1, /* a Repeated */
        PART_FAILURE = 1 << 2,  /* a Failure, and its text */
};

typedef struct Head {
        uint64_t at_usec;
        uint32_t duration_msec;
        uint8_t action, trigger, outcome, parts;
} Head;

typedef struct Repeated {
        uint64_t first_usec;
        uint32_t count, unused;
} Repeated;

typedef struct Failure {
        uint16_t sql_errno;
        uint16_t length; /* of the text, with NUL */
} Failure;

/* The entries of a history, and one that is added; the newest first. */
typedef struct Entries {
        HistoryEntry entries[HISTORY_MAX + 1];
        unsigned n;
} Entries;

static const char *const actions[] = {
        [HISTORY_IMPORT] = "import",
        [HISTORY_RESTART] = "restart",
        [HISTORY_START] = "start",
        [HISTORY_ROLLBACK] = "rollback",
        [HISTORY_REMOVE] = "remove",
        [HISTORY_CHECK] = "check",
};
_Static_assert(ARRAY_SIZE(actions) == _HISTORY_ACTION_MAX, "every action has a name");

static const char *const triggers[] = {
        [HISTORY_TRIGGER_NONE] = "",
        [HISTORY_ROTATION] = "rotation",
        [HISTORY_COMMAND] = "command",
        [HISTORY_RETRY] = "retry",
        [HISTORY_FINDING] = "check",
        [HISTORY_AFTER_IMPORT] = "import",
};
_Static_assert(ARRAY_SIZE(triggers) == _HISTORY_TRIGGER_MAX, "every trigger has a name");

const char *history_action_to_string(HistoryAction action)
{
        return (unsigned)action < _HISTORY_ACTION_MAX ? actions[action] : "";
}

int history_action_from_string(HistoryAction *ret, const char *name)
{
        for (unsigned i = 0; i < _HISTORY_ACTION_MAX; i++)
                if (strcmp(actions[i], name) == 0) {
                        *ret = (HistoryAction)i;
                        return 0;
                }
        return -EINVAL;
}

const char *history_trigger_to_string(HistoryTrigger trigger)
{
        return (unsigned)trigger < _HISTORY_TRIGGER_MAX ? triggers[trigger] : "";
}

int history_trigger_from_string(HistoryTrigger *ret, const char *name)
{
        for (unsigned i = 0; i < _HISTORY_TRIGGER_MAX; i++)
                if (strcmp(triggers[i], name) == 0) {
                        *ret = (HistoryTrigger)i;
                        return 0;
                }
        return -EINVAL;
}

History *history_free(History *history)
{
        free(history);
        return NULL;
}

unsigned history_size(const History *history)
{
        return history ? history->n : 0;
}

static void read_part(void *ret, const unsigned char **at, size_t size)
{
        memcpy(ret, *at, size);
        *at += size;
}

/* Reads one entry, whose text is in the history. */
static void read_entry(HistoryEntry *ret, const unsigned char **at)
{
        unsigned char set[SET_SIZE];
        Repeated repeated;
        Failure failure;
        Head head;

        read_part(&head, at, sizeof(head));
        *ret = (HistoryEntry){
                .action = (HistoryAction)head.action,
                .trigger = (HistoryTrigger)head.trigger,
                .outcome = (OutcomeKind)head.outcome,
                .text = "",
                .at_usec = head.at_usec,
                .first_usec = head.at_usec,
                .count = 1,
                .duration_usec = head.duration_msec * USEC_PER_MSEC,
        };
        if (head.parts & PART_SET) {
                read_part(set, at, sizeof(set));
                text_hex(ret->fingerprint, set, sizeof(set));
        }
        if (head.parts & PART_REPEATED) {
                read_part(&repeated, at, sizeof(repeated));
                ret->first_usec = repeated.first_usec;
                ret->count = repeated.count;
        }
        if (head.parts & PART_FAILURE) {
                read_part(&failure, at, sizeof(failure));
                ret->sql_errno = failure.sql_errno;
                ret->text = (const char *)*at;
                *at += failure.length;
        }
}

unsigned history_read(HistoryEntry *ret, unsigned limit, const History *history)
{
        unsigned n = history_size(history) < limit ? history_size(history) : limit;
        const unsigned char *at = history ? history->bytes : NULL;

        for (unsigned i = 0; i < n; i++)
                read_entry(&ret[i], &at);
        return n;
}

static unsigned digit(char character)
{
        return (unsigned)(character <= '9' ? character - '0' : character - 'a' + 10);
}

static void write_part(unsigned char **at, const void *part, size_t size)
{
        memcpy(*at, part, size);
        *at += size;
}

static uint32_t duration_msec(const HistoryEntry *entry)
{
        uint64_t msec = (entry->duration_usec + USEC_PER_MSEC / 2) / USEC_PER_MSEC;

        return msec < UINT32_MAX ? (uint32_t)msec : UINT32_MAX;
}

static unsigned parts_of(const HistoryEntry *entry)
{
        bool is_repeated = entry->count != 1 || entry->first_usec != entry->at_usec;

        return (report_is_fingerprint(entry->fingerprint) ? PART_SET : 0U) |
                (is_repeated ? PART_REPEATED : 0U) |
                (entry->sql_errno > 0 || entry->text[0] != '\0' ? PART_FAILURE : 0U);
}

static size_t size_of(const HistoryEntry *entry)
{
        unsigned parts = parts_of(entry);

        return sizeof(Head) + (parts & PART_SET ? SET_SIZE : 0) +
                (parts & PART_REPEATED ? sizeof(Repeated) : 0) +
                (parts & PART_FAILURE ? sizeof(Failure) + strlen(entry->text) + 1 : 0);
}

/* There are size_of() bytes at `at`. */
static void write_entry(unsigned char **at, const HistoryEntry *entry)
{
        const Repeated repeated = {.first_usec = entry->first_usec, .count = entry->count};
        const Failure failure = {.sql_errno = (uint16_t)entry->sql_errno,
                .length = (uint16_t)(strlen(entry->text) + 1)};
        Head head = {
                .at_usec = entry->at_usec,
                .duration_msec = duration_msec(entry),
                .action = (uint8_t)entry->action,
                .trigger = (uint8_t)entry->trigger,
                .outcome = (uint8_t)entry->outcome,
                .parts = (uint8_t)parts_of(entry),
        };
        unsigned char set[SET_SIZE];

        write_part(at, &head, sizeof(head));
        for (size_t i = 0; i < sizeof(set) && (head.parts & PART_SET) != 0; i++)
                set[i] = (unsigned char)(digit(entry->fingerprint[2 * i]) << 4 |
                        digit(entry->fingerprint[2 * i + 1]));
        if (head.parts & PART_SET)
                write_part(at, set, sizeof(set));
        if (head.parts & PART_REPEATED)
                write_part(at, &repeated, sizeof(repeated));
        if (head.parts & PART_FAILURE) {
                write_part(at, &failure, sizeof(failure));
                write_part(at, entry->text, failure.length);
        }
}

static size_t size_of_all(const HistoryEntry *entries, unsigned n)
{
        size_t size = 0;

        for (unsigned i = 0; i < n; i++)
                size += size_of(&entries[i]);
        return size;
}

/* Returns NULL without memory. */
static History *write_all(const HistoryEntry *entries, unsigned n)
{
        History *history = malloc(sizeof(*history) + size_of_all(entries, n));
        unsigned char *at;

        if (!history)
                return NULL;
        history->n = n;
        at = history->bytes;
        for (unsigned i = 0; i < n; i++)
                write_entry(&at, &entries[i]);
        return history;
}

static bool fit(const HistoryEntry *entries, unsigned n)
{
        return n <= HISTORY_MAX && size_of_all(entries, n) <= HISTORY_SIZE_MAX;
}

History *history_new(const HistoryEntry *entries, unsigned n)
{
        while (!fit(entries, n))
                n--;
        return n > 0 ? write_all(entries, n) : NULL;
}

static bool is_success(const HistoryEntry *entry)
{
        return entry->action != HISTORY_CHECK && outcome_is_success(entry->outcome);
}

/* Compares texts, except for the numbers in them. */
static bool is_same_text(const char *a, const char *b)
{
        for (;;) {
                while (isdigit((unsigned char)*a))
                        a++;
                while (isdigit((unsigned char)*b))
                        b++;
                if (*a != *b || *a == '\0')
                        return *a == *b;
                a++;
                b++;
        }
}

static bool is_same(const HistoryEntry *a, const HistoryEntry *b)
{
        return a->action == b->action && a->outcome == b->outcome && a->sql_errno == b->sql_errno &&
                strcmp(a->fingerprint, b->fingerprint) == 0 && is_same_text(a->text, b->text);
}

/* Returns the number of entries since the last success. */
static unsigned since_success(const Entries *entries)
{
        unsigned n = 0;

        while (n < entries->n && !is_success(&entries->entries[n]))
                n++;
        return n;
}

static void drop(Entries *entries, unsigned i)
{
        entries->n--;
        memmove(&entries->entries[i], &entries->entries[i + 1],
                (entries->n - i) * sizeof(entries->entries[0]));
}

/* The entry becomes the newest one, also if it is added to another. */
static void add(History **history, Entries *entries, HistoryEntry *entry)
{
        History *written;

        entry->first_usec = entry->at_usec;
        entry->count = 1;
        for (unsigned i = 0; !is_success(entry) && i < since_success(entries); i++) {
                const HistoryEntry *same = &entries->entries[i];

                if (!is_same(same, entry))
                        continue;
                entry->first_usec = same->first_usec;
                entry->trigger = same->trigger;
                entry->count = same->count < UINT32_MAX ? same->count + 1 : UINT32_MAX;
                drop(entries, i);
                break;
        }
        memmove(&entries->entries[1], entries->entries, entries->n * sizeof(*entry));
        entries->entries[0] = *entry;
        entries->n++;
        while (!fit(entries->entries, entries->n)) /* the oldest, unless it is the last success */
                drop(entries, entries->n - 1 - (since_success(entries) == entries->n - 1));
        written = write_all(entries->entries, entries->n);
        if (!written)
                return; /* as it is */
        free(*history);
        *history = written;
}

/* As it is kept. The text is in `text`. */
static HistoryEntry cut(const HistoryEntry *entry, char text[static HISTORY_TEXT_MAX])
{
        HistoryEntry ret = *entry;

        text_set(text, HISTORY_TEXT_MAX, entry->text);
        ret.text = text;
        return ret;
}

void history_add(History **history, const HistoryEntry *entry)
{
        char text[HISTORY_TEXT_MAX];
        HistoryEntry kept = cut(entry, text);
        Entries entries;

        entries.n = history_read(entries.entries, HISTORY_MAX, *history);
        add(history, &entries, &kept);
}

/* Returns the last check since the last success, or NULL. */
static const HistoryEntry *last_check(const Entries *entries)
{
        for (unsigned i = 0; i < since_success(entries); i++)
                if (entries->entries[i].action == HISTORY_CHECK)
                        return &entries->entries[i];
        return NULL;
}

bool history_add_check(History **history, const HistoryEntry *entry)
{
        char text[HISTORY_TEXT_MAX];
        HistoryEntry kept = cut(entry, text);
        const HistoryEntry *before;
        Entries entries;
        bool is_known;

        entries.n = history_read(entries.entries, HISTORY_MAX, *history);
        before = last_check(&entries);
        is_known = before ? is_same(before, &kept)
                          : outcome_is_success(kept.outcome) && text[0] == '\0';
        if (!is_known)
                add(history, &entries, &kept);
        return !is_known;
}

void history_write_entry(JsonWriter *writer, const HistoryEntry *entry)
{
        json_open_object(writer);
        json_put_integer(writer, "at", (int64_t)entry->at_usec);
        json_put_string(writer, "action", history_action_to_string(entry->action));
        json_put_text(writer, "trigger", history_trigger_to_string(entry->trigger));
        json_put_text(writer, "fingerprint", entry->fingerprint);
        json_put_string(writer, "outcome", outcome_kind_to_string(entry->outcome));
        json_put_known_integer(
                writer, "sql_errno", entry->sql_errno > 0, (int64_t)entry->sql_errno);
        json_put_text(writer, "reason", entry->text);
        json_put_integer(writer, "duration", (int64_t)entry->duration_usec);
        json_put_integer(writer, "count", (int64_t)entry->count);
        json_put_integer(writer, "first", (int64_t)entry->first_usec);
        json_close_object(writer);
}
