#include "daemon/exporter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "daemon/setting.h"

#define EXPORTER_PAUSE_USEC USEC_PER_SEC

struct Exporter {
        exporter_text_fn text_fn;
        exporter_told_fn told_fn;
        void *userdata;
        char path[SETTING_VALUE_MAX];
        sd_event_source *timer;
        uint64_t written_usec; /* boot time; 0: never */
        bool armed;
        int told; /* the error told last */
};

static void tell(Exporter *exporter, int error)
{
        if (error == exporter->told)
                return;
        exporter->told = error;
        exporter->told_fn(exporter->path, error, exporter->userdata);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        Exporter *exporter = userdata;
        CLEANUP(freep) char *text = NULL;
        int r;

        (void)source;
        (void)usec;
        exporter->armed = false;
        exporter->written_usec = clock_boottime_usec();
        if (exporter->path[0] == '\0')
                return 0;
        r = exporter->text_fn(&text, exporter->userdata);
        if (r == 0)
                r = file_replace_unsynced(exporter->path, text, strlen(text), 0644);
        tell(exporter, -r);
        return 0;
}

int exporter_new(Exporter **ret, sd_event *event, exporter_text_fn text_fn,
        exporter_told_fn told_fn, void *userdata)
{
        CLEANUP(exporter_freep) Exporter *exporter = calloc(1, sizeof(*exporter));
        int r;

        if (!exporter)
                return -ENOMEM;
        *exporter = (Exporter){.text_fn = text_fn, .told_fn = told_fn, .userdata = userdata};
        r = sd_event_add_time(event, &exporter->timer, CLOCK_BOOTTIME, 0, 1, on_timer, exporter);
        if (r >= 0)
                r = sd_event_source_set_enabled(exporter->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        (void)sd_event_source_set_description(exporter->timer, "exporter");
        *ret = TAKE(exporter);
        return 0;
}

Exporter *exporter_free(Exporter *exporter)
{
        if (!exporter)
                return NULL;
        sd_event_source_disable_unref(exporter->timer);
        free(exporter);
        return NULL;
}

void exporter_set_path(Exporter *exporter, const char *path)
{
        if (strcmp(exporter->path, path) == 0)
                return;
        if (exporter->path[0] != '\0')
                (void)unlink(exporter->path); /* nobody keeps it current any more */
        text_set(exporter->path, sizeof(exporter->path), path);
        exporter->told = 0;
        exporter_poke(exporter);
}

void exporter_poke(Exporter *exporter)
{
        uint64_t at = exporter->written_usec + EXPORTER_PAUSE_USEC;

        if (exporter->armed || exporter->path[0] == '\0')
                return;
        exporter->armed = true;
        (void)sd_event_source_set_time(exporter->timer, exporter->written_usec == 0 ? 0 : at);
        (void)sd_event_source_set_enabled(exporter->timer, SD_EVENT_ONESHOT);
}
