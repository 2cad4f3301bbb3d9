#include "daemon/config/expiry-warnings.h"

#define SHARE 3 /* of the validity, for the longest warning */

/* The warning of this number, as the time before the end at which it begins. */
static uint64_t length_usec(const MaterialConfig *config, unsigned number, uint64_t not_before_usec,
        uint64_t not_after_usec)
{
        uint64_t configured = config->expiry_warning_usec[number];
        uint64_t share =
                not_before_usec < not_after_usec ? (not_after_usec - not_before_usec) / SHARE : 0;

        return configured < share ? configured : share;
}

ExpiryWarning expiry_warnings_evaluate(const MaterialConfig *config, uint64_t not_before_usec,
        uint64_t not_after_usec, uint64_t now_usec)
{
        ExpiryWarning warning = {0};

        for (unsigned i = 0; i < CONFIG_EXPIRY_WARNINGS_MAX && config->expiry_warning_usec[i] > 0;
                i++) {
                uint64_t length = length_usec(config, i, not_before_usec, not_after_usec);

                if (not_after_usec - length > now_usec) {
                        warning.next_usec = not_after_usec - length;
                        break;
                }
                warning.within_usec = length;
        }
        return warning;
}

uint64_t expiry_warnings_begin_usec(
        const MaterialConfig *config, uint64_t not_before_usec, uint64_t not_after_usec)
{
        return not_after_usec - length_usec(config, 0, not_before_usec, not_after_usec);
}
