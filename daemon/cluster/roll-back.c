#include "daemon/cluster/roll-back.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

/* What the source has answered. Both makes precede it by address, user and times of the attempt. */
static const char *answer_of(const char *io_error)
{
        static const char before[] = "essage: ";
        const char *answer = strstr(io_error, before);

        return answer ? answer + strlen(before) : io_error;
}

static void format_text(Outcome *ret, const RollBack *roll_back, const char *result)
{
        text_format(ret->text, sizeof(ret->text),
                "set %.12s was taken back, since replication failed with it (error %u: %s); %s",
                roll_back->taken_back.fingerprint, roll_back->io_errno, roll_back->error, result);
}

void roll_back_done(RollBack *roll_back)
{
        free(roll_back->taken_back.warning);
        kept_outcome_done(&roll_back->before.outcome);
        *roll_back = ROLL_BACK_NULL;
}

/* The set that is taken back is the imported one of the record again. */
static void return_import(RollBack *roll_back, Record *record)
{
        record_forget_import(record);
        record->imported = roll_back->taken_back;
        roll_back->taken_back.warning = NULL;
}

void roll_back_begin(RollBack *ret, Record *record, const SetInfo *former,
        const Replication *replication, uint64_t now_usec)
{
        Outcome outcome = {.kind = OUTCOME_ROLLED_BACK, .sql_errno = replication->io_errno};
        char result[OUTCOME_TEXT_MAX];

        *ret = (RollBack){
                .taken_back = record->imported,
                .before = record->attempt,
                .former = *former,
                .io_errno = replication->io_errno,
        };
        text_set(ret->error, sizeof(ret->error), answer_of(replication->io_error));
        text_format(result, sizeof(result),
                "set %.12s was about to be imported again, and the result is not known",
                former->fingerprint);
        format_text(&outcome, ret, result);
        record->imported = (RecordImport){0};
        record->attempt.outcome = KEPT_OUTCOME_NULL;
        record_apply_attempt(record, ret->taken_back.fingerprint, &outcome, now_usec);
}

void roll_back_cancel(RollBack *roll_back, Record *record)
{
        return_import(roll_back, record);
        kept_outcome_done(&record->attempt.outcome);
        record->attempt = roll_back->before;
        roll_back->before.outcome = KEPT_OUTCOME_NULL;
}

static void format_result(char *buffer, size_t size, const char *set, const Outcome *outcome)
{
        const char *why =
                outcome->text[0] != '\0' ? outcome->text : outcome_kind_to_string(outcome->kind);

        if (outcome->effect.replication_restarted)
                text_format(buffer, size, "set %.12s is imported again, and replication runs", set);
        else if (outcome_is_success(outcome->kind))
                text_format(buffer, size,
                        "set %.12s is imported again; the I/O thread connects with it by itself",
                        set);
        else if (outcome->effect.committed)
                text_format(buffer, size, "set %.12s is imported again, but: %s", set, why);
        else
                text_format(buffer, size, "set %.12s %s imported again: %s", set,
                        outcome->effect.in_doubt ? "may or may not be" : "could not be", why);
}

void roll_back_end(RollBack *roll_back, Record *record, Outcome *outcome, uint64_t now_usec)
{
        const char *fingerprint = roll_back->taken_back.fingerprint;
        const RecordAttempt *before = &roll_back->before;
        char result[OUTCOME_TEXT_MAX];

        format_result(result, sizeof(result), roll_back->former.fingerprint, outcome);
        text_set(outcome->next_step, sizeof(outcome->next_step),
                outcome_is_success(outcome->kind)
                        ? ""
                        : outcome_next_step(outcome->kind, outcome->next_step));
        format_text(outcome, roll_back, result);
        return_import(roll_back, record);
        record_apply_import(record, &roll_back->former, outcome, now_usec);
        record->imported.former_fingerprint[0] = '\0'; /* once */
        outcome->kind = OUTCOME_ROLLED_BACK;
        outcome->sql_errno = roll_back->io_errno;
        /* It was counted by roll_back_begin(). */
        record->attempt.failures =
                strcmp(before->fingerprint, fingerprint) == 0 ? before->failures : 0;
        record_apply_attempt(record, fingerprint, outcome, now_usec);
}
