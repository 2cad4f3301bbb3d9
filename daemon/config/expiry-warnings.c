#include "daemon/config/expiry-warnings.h"

#define SHARE 3 /* of the validity, for the longest warning */

uint64_t expiry_warning_length_usec(
        uint64_t configured_usec, uint64_t not_before_usec, uint64_t not_after_usec)
{
        uint64_t share =
                not_before_usec < not_after_usec ? (not_after_usec - not_before_usec) / SHARE : 0;

        return configured_usec < share ? configured_usec : share;
}

ExpiryWarning expiry_warnings_evaluate(const MaterialConfig *config, uint64_t not_before_usec,
        uint64_t not_after_usec, uint64_t now_usec)
{
        ExpiryWarning warning = {0};

        for (unsigned i = 0; i < CONFIG_EXPIRY_WARNINGS_MAX && config->expiry_warning_usec[i] > 0;
                i++) {
                uint64_t length = expiry_warning_length_usec(
                        config->expiry_warning_usec[i], not_before_usec, not_after_usec);

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
        return not_after_usec -
                expiry_warning_length_usec(
                        config->expiry_warning_usec[0], not_before_usec, not_after_usec);
}
