#include "daemon/inspect/client-chain.h"

#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/clock.h"
#include "daemon/tls/x509.h"

static bool has_key(X509 *certificate, const EVP_PKEY *key)
{
        return key && X509_check_private_key(certificate, key) == 1;
}

static bool is_valid(const X509 *certificate, uint64_t now_usec)
{
        return now_usec >= x509_time_usec(X509_get0_notBefore(certificate)) &&
                now_usec < x509_time_usec(X509_get0_notAfter(certificate));
}

static bool is_issued_by_one(const STACK_OF(X509) * stack, X509 *certificate)
{
        for (int i = 0; i < sk_X509_num(stack); i++)
                if (X509_check_issued(sk_X509_value(stack, i), certificate) == X509_V_OK)
                        return true;
        return false;
}

/* What distinguishes a certificate most, first. */
static unsigned rank(const ClientChain *files, X509 *certificate, uint64_t now_usec)
{
        unsigned usable = X509_check_ca(certificate) == 0, valid = is_valid(certificate, now_usec);

        return usable << 2 | valid << 1 |
                (is_issued_by_one(files->authorities, certificate) ||
                        is_issued_by_one(files->chain, certificate));
}

/* Returns true if `other` is the better choice. */
static bool is_better(const ClientChain *files, X509 *other, X509 *certificate, uint64_t now_usec)
{
        unsigned other_rank = rank(files, other, now_usec),
                 own = rank(files, certificate, now_usec);

        if (other_rank != own)
                return other_rank > own;
        return x509_time_usec(X509_get0_notAfter(other)) >
                x509_time_usec(X509_get0_notAfter(certificate));
}

int client_chain_find(const ClientChain *files, uint64_t now_usec)
{
        int found = -1;

        for (int i = 0; i < sk_X509_num(files->chain); i++) {
                X509 *certificate = sk_X509_value(files->chain, i);

                if (has_key(certificate, files->key) &&
                        (found < 0 ||
                                is_better(files, certificate, sk_X509_value(files->chain, found),
                                        now_usec)))
                        found = i;
        }
        ERR_clear_error();
        return found;
}

/* With the places that both have in the file, from 1. */
static void report_replaced(Report *report, const char *path, X509 *certificate, int number,
        X509 *leaf, int leaf_number, uint64_t now_usec)
{
        uint64_t not_after = x509_time_usec(X509_get0_notAfter(certificate));
        char end[CLOCK_TEXT_SIZE], leaf_end[CLOCK_TEXT_SIZE];

        report_add(report, MATERIAL_CERT, RULE_PEM_IGNORED, SEVERITY_WARNING,
                "%s: certificate %d of the file is not sent: certificate %d has the same key and "
                "is valid until %s, this one %s %s",
                path, number, leaf_number, x509_time_text(leaf_end, X509_get0_notAfter(leaf)),
                now_usec < not_after ? "ends at" : "expired at",
                x509_time_text(end, X509_get0_notAfter(certificate)));
}

/* A certificate that is not valid yet can take the leaf's place when its time comes. */
static void take_out_replaced(STACK_OF(X509) * chain, int leaf_index, const EVP_PKEY *key,
        const char *path, Report *report, uint64_t now_usec)
{
        X509 *leaf = sk_X509_value(chain, leaf_index);

        for (int i = 0, number = 1; i < sk_X509_num(chain); number++) {
                X509 *certificate = sk_X509_value(chain, i);

                if (X509_cmp(certificate, leaf) == 0 || !has_key(certificate, key) ||
                        X509_check_ca(certificate) != 0) {
                        i++;
                        continue;
                }
                report_add_boundary(
                        report, x509_time_usec(X509_get0_notBefore(certificate)), now_usec);
                report_replaced(report, path, certificate, number, leaf, leaf_index + 1, now_usec);
                X509_free(sk_X509_delete(chain, i));
        }
}

static void move(STACK_OF(X509) * chain, int to, int from)
{
        X509 *first = sk_X509_value(chain, to);

        (void)sk_X509_set(chain, to, sk_X509_value(chain, from));
        (void)sk_X509_set(chain, from, first);
}

void client_chain_order(
        const ClientChain *files, const char *path, Report *report, uint64_t now_usec)
{
        STACK_OF(X509) *chain = files->chain;
        int found = client_chain_find(files, now_usec);
        X509 *leaf = sk_X509_value(chain, found < 0 ? 0 : found);

        if (found >= 0)
                take_out_replaced(chain, found, files->key, path, report, now_usec);
        move(chain, 0, sk_X509_find(chain, leaf));
        for (int i = 1; i < sk_X509_num(chain); i++)
                for (int k = i; k < sk_X509_num(chain); k++)
                        if (X509_check_issued(sk_X509_value(chain, k),
                                    sk_X509_value(chain, i - 1)) == X509_V_OK) {
                                move(chain, i, k);
                                break;
                        }
        ERR_clear_error();
}
