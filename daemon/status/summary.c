#include "daemon/status/summary.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/status/summary-cluster.h"
#include "daemon/status/summary-material.h"

Health summary_health(const ManagerStatus *status)
{
        Health worst = HEALTH_OK;

        for (size_t i = 0; i < status->n_materials; i++) {
                Health health = summary_material_health(status->materials[i]);

                worst = health > worst ? health : worst;
        }
        if (status->refused && worst == HEALTH_OK)
                worst = HEALTH_WARNING;
        for (size_t i = 0; i < status->n_clusters; i++) {
                Health health = summary_cluster_health(status->clusters[i], status->now_usec);

                worst = health > worst ? health : worst;
        }
        return worst;
}

static void append_clusters(char *buffer, size_t size, const ManagerStatus *status)
{
        const ClusterStatus *found = NULL;
        Health worst = HEALTH_OK;
        size_t n = 0;
        char reason[SUMMARY_TEXT_MAX / 2], time[CLOCK_TEXT_SIZE];

        for (size_t i = 0; i < status->n_clusters; i++) {
                Health health = summary_cluster_health(status->clusters[i], status->now_usec);

                n += health > HEALTH_OK;
                if (health <= worst)
                        continue;
                found = status->clusters[i];
                worst = health;
        }
        if (!found)
                return;
        summary_cluster_reason(reason, sizeof(reason), found,
                status->materials[found->config->material], status->now_usec);
        text_append(buffer, size, "; %s: %s", found->config->name, reason);
        if (found->next_attempt_usec > 0)
                text_append(buffer, size, ", next try %s",
                        clock_format_time(time, clock_wall_at_usec(found->next_attempt_usec)));
        if (n > 1)
                text_append(buffer, size, "; +%zu more", n - 1);
}

/* The reason before the place, as a terminal or systemctl(1) cuts the line at its end. */
static void append_refused(char *buffer, size_t size, const ConfigProblem *problem)
{
        char line[16] = "";

        if (!problem)
                return;
        if (problem->line > 0)
                snprintf(line, sizeof(line), ":%u", problem->line);
        text_append(buffer, size, "; configuration refused: %s (%s%s)", problem->text,
                problem->file, line);
}

static void append_waves(char *buffer, size_t size, const ManagerStatus *status)
{
        char reason[SUMMARY_TEXT_MAX / 2];

        for (size_t i = 0; i < status->n_materials; i++) {
                const MaterialStatus *material = status->materials[i];

                if (material->wave.state != WAVE_STOPPED)
                        continue;
                summary_wave_reason(reason, sizeof(reason), &material->wave);
                text_append(buffer, size, "; the rollout of material %s is stopped: %s",
                        material->config->name, reason);
        }
}

static void append_materials(char *buffer, size_t size, const ManagerStatus *status)
{
        char reason[PROBLEM_TEXT_MAX + 64], date[CLOCK_TEXT_SIZE];

        for (size_t i = 0; i < status->n_materials; i++) {
                const MaterialStatus *material = status->materials[i];
                bool responding = material->not_responding_since_at_usec == 0;
                bool expires = material->state == MATERIAL_STATE_EXPIRING;
                const Problem *expiry = expires ? report_expiry(material->report) : NULL;

                if (material_state_is_good(material->state) && responding && !expires)
                        continue;
                text_append(buffer, size, "; material %s %s", material->config->name,
                        material->inspected ? material_state_to_string(material->state)
                                            : "not inspected yet");
                if (expiry)
                        text_append(
                                buffer, size, " on %s", clock_format_date(date, expiry->end_usec));
                summary_material_reason(reason, sizeof(reason), material);
                if (reason[0] != '\0' && (material->inspected || !responding))
                        text_append(buffer, size, ": %s", reason);
        }
}

static void append_expiry(char *buffer, size_t size, const ManagerStatus *status)
{
        const MaterialStatus *earliest = NULL;
        char date[CLOCK_TEXT_SIZE];

        for (size_t i = 0; i < status->n_materials; i++) {
                const MaterialStatus *material = status->materials[i];

                if (material_state_is_good(material->state) &&
                        (!earliest ||
                                material->report->certificate.not_after_usec <
                                        earliest->report->certificate.not_after_usec))
                        earliest = material;
        }
        if (earliest)
                text_append(buffer, size, ", certificate valid until %s",
                        clock_format_date(date, earliest->report->certificate.not_after_usec));
}

/* Clusters that wait for a set, or for their turn, go on with the imported one. */
static void append_kept_sets(char *buffer, size_t size, const ManagerStatus *status)
{
        const RecordImport *first = NULL;
        size_t n = 0;
        bool same = true;
        char date[CLOCK_TEXT_SIZE];

        for (size_t i = 0; i < status->n_clusters; i++) {
                const RecordImport *imported = &status->clusters[i]->record->imported;

                if (status->clusters[i]->state != CLUSTER_WAITING ||
                        imported->fingerprint[0] == '\0')
                        continue;
                same = same && (!first || strcmp(imported->fingerprint, first->fingerprint) == 0);
                if (!first || imported->not_after_usec < first->not_after_usec)
                        first = imported;
                n++;
        }
        if (!first)
                return;
        if (same)
                text_append(buffer, size, "; %zu %s set %.12s", n,
                        n == 1 ? "cluster keeps" : "clusters keep", first->fingerprint);
        else
                text_append(buffer, size, "; %zu clusters keep earlier sets", n);
        if (first->not_after_usec > 0)
                text_append(buffer, size, ", %s %s",
                        first->not_after_usec <= status->now_usec ? "which expired" : "valid until",
                        clock_format_date(date, first->not_after_usec));
}

void summary_line(char *buffer, size_t size, const ManagerStatus *status)
{
        size_t current = 0, enabled = 0;

        for (size_t i = 0; i < status->n_clusters; i++) {
                enabled += status->clusters[i]->state != CLUSTER_DISABLED;
                current += status->clusters[i]->state == CLUSTER_CURRENT;
        }
        text_format(buffer, size, "%zu/%zu clusters current", current, enabled);
        append_clusters(buffer, size, status);
        append_waves(buffer, size, status);
        append_materials(buffer, size, status);
        append_refused(buffer, size, status->refused);
        append_expiry(buffer, size, status);
        append_kept_sets(buffer, size, status);
}
