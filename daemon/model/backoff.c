#include "daemon/model/backoff.h"

uint64_t backoff_usec(unsigned failures, uint64_t min_usec, uint64_t max_usec, uint32_t random)
{
        uint64_t delay = min_usec < max_usec ? min_usec : max_usec;
        uint64_t half;

        if (failures == 0)
                return 0;
        for (unsigned i = 1; i < failures && delay > 0 && delay < max_usec; i++)
                delay = delay > max_usec / 2 ? max_usec : delay * 2;
        half = delay / 2;
        return half > 0 ? delay - (uint64_t)random % half : delay;
}
