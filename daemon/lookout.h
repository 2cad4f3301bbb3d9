#pragma once

/*
 * Lookout: says when the files of a material have to be read.
 *
 * Three things wake it: inotify on the way to each file, the table of mounts, and the poll, which
 * always runs because some changes raise no event at all. Whatever woke it, it waits for silence,
 * makes the watches anew and compares what stat(2) says. What a poll finds and a complete set of
 * watches did not tell by the end of that silence was missed, and is counted.
 *
 * A file system whose clock ticks slowly hides a second write of the same size from stat(2), so
 * the first poll after every change has the files read once more.
 */

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "common/macro.h"
#include "daemon/config.h"

typedef struct Lookout Lookout;

typedef struct LookoutStatus {
        const char *watch;        /* "inotify", or "poll" and why; lives with the lookout */
        bool watching;            /* every directory on the way has a watch that tells changes */
        unsigned missed_events;   /* changes that the poll found though all was watched */
        uint64_t changed_usec;    /* boot time of the last change seen, at first of the start */
        uint64_t changed_at_usec; /* wall clock; 0: none was seen since the start */
        uint64_t polled_usec;     /* boot time of the last poll, at first of the start */
        uint64_t looked_at_usec;  /* wall clock of the last comparison */
} LookoutStatus;

typedef enum LookoutNews {
        LOOKOUT_READ,  /* read the files */
        LOOKOUT_QUIET, /* a poll went by and nothing had changed */
} LookoutNews;

typedef void (*lookout_fn)(LookoutNews news, void *userdata);

/* `config` must outlive the lookout. What is there at first is for the caller to read at once. */
int lookout_new(Lookout **ret, sd_event *event, const MaterialConfig *config, lookout_fn fn,
        void *userdata);
Lookout *lookout_free(Lookout *lookout);
DEFINE_CLEANUP(Lookout *, lookout_free);

const LookoutStatus *lookout_status(const Lookout *lookout);

/* Asks for another LOOKOUT_READ after the next silence. */
void lookout_repeat(Lookout *lookout);
