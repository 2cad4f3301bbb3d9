#include "tests/pki/set.h"

/*
 * The fixtures about the issuers of the client certificate: CAs, intermediates, and their names.
 *
 * A CA that replaces the good one keeps its name and key, so that the client certificate still
 * chains to it and no other rule is violated. The manifest names only the root cause: an expired CA
 * breaks the chain as well, but one fix removes both, so one problem is reported.
 */

/* A CA beside the good one: another name, another key. */
static Request other_ca_request(const Set *set)
{
        Request request = authority_ca_request(set->authority);

        request.common_name = "binlog-ssld other test CA";
        request.key = request.issuer_key = set->authority->other_ca_key;
        return request;
}

/* The CA that signed comes second: reading only the first one would break the chain. */
static void two_cas(Set *set)
{
        Request request = other_ca_request(set);

        set_replace(set, MATERIAL_CA, &request);
        set_add_certificate(set, MATERIAL_CA, set->authority->ca);
}

/* A CA renews its certificate under the same name and key. */
static void renewed_ca(Set *set)
{
        Request request = authority_ca_request(set->authority);

        request.not_after = 2 * 365 * AUTHORITY_DAY;
        set_add_issued(set, MATERIAL_CA, &request);
}

static void same_ca_twice(Set *set)
{
        set_add_certificate(set, MATERIAL_CA, set->authority->ca);
}

static void missing_intermediate(Set *set)
{
        set_clear(set, MATERIAL_CERT);
        set_add_certificate(set, MATERIAL_CERT, set->authority->chained_client);
}

static void chain(Set *set)
{
        missing_intermediate(set);
        set_add_certificate(set, MATERIAL_CERT, set->authority->intermediate);
}

static void chain_with_root(Set *set)
{
        chain(set);
        set_add_certificate(set, MATERIAL_CERT, set->authority->ca);
}

/* The key identifies the leaf, so the order can be corrected. */
static void chain_leaf_last(Set *set)
{
        set_clear(set, MATERIAL_CERT);
        set_add_certificate(set, MATERIAL_CERT, set->authority->intermediate);
        set_add_certificate(set, MATERIAL_CERT, set->authority->chained_client);
}

static void intermediate_in_ca_file(Set *set)
{
        missing_intermediate(set);
        set_add_certificate(set, MATERIAL_CA, set->authority->intermediate);
}

static void intermediate_expired(Set *set)
{
        Request request = authority_intermediate_request(set->authority);

        request.not_after = -AUTHORITY_HOUR;
        missing_intermediate(set);
        set_add_issued(set, MATERIAL_CERT, &request);
}

/* Signed by a CA with the good one's name and another key. */
static void same_name_ca(Set *set, const char *extensions)
{
        Request ca_request = authority_ca_request(set->authority);
        Request request = authority_client_request(set->authority);
        CLEANUP(X509_freep) X509 *ca = NULL;

        ca_request.key = ca_request.issuer_key = set->authority->other_ca_key;
        ca = authority_issue(set->authority, &ca_request);

        request.issuer = ca;
        request.issuer_key = ca_request.key;
        request.extensions = extensions;
        set_replace(set, MATERIAL_CERT, &request);
}

static void chain_broken(Set *set)
{
        same_name_ca(set, AUTHORITY_CLIENT_EXTENSIONS);
}

/* Without a key identifier only the signature distinguishes the two CAs. */
static void chain_broken_signature(Set *set)
{
        same_name_ca(set, "basicConstraints = CA:FALSE\n");
}

static void client_in_ca_file(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.common_name = "bystander";
        request.key = set->authority->other_client_key;
        set_add_issued(set, MATERIAL_CA, &request);
}

static void ca_without_constraint(Set *set)
{
        Request request = authority_ca_request(set->authority);

        request.extensions = AUTHORITY_CLIENT_EXTENSIONS;
        set_replace(set, MATERIAL_CA, &request);
}

static void ca_expired(Set *set)
{
        Request request = authority_ca_request(set->authority);

        request.not_after = -AUTHORITY_HOUR;
        set_replace(set, MATERIAL_CA, &request);
}

static void ca_not_yet_valid(Set *set)
{
        Request request = authority_ca_request(set->authority);

        request.not_before = 30 * AUTHORITY_DAY;
        set_replace(set, MATERIAL_CA, &request);
}

static void ca_expires_soon(Set *set)
{
        Request request = authority_ca_request(set->authority);

        request.not_before = -30 * AUTHORITY_DAY;
        request.not_after = 5 * AUTHORITY_DAY;
        set_replace(set, MATERIAL_CA, &request);
}

/* Root certificates are often signed with SHA-1; nothing depends on a root's own signature. */
static void sha1_root(Set *set)
{
        Request request = authority_ca_request(set->authority);

        request.digest = "SHA1";
        set_replace(set, MATERIAL_CA, &request);
}

/* The MySQL manual's commands create version 1 with an older openssl. */
static void version1_root(Set *set)
{
        Request request = authority_ca_request(set->authority);

        request.extensions = NULL;
        set_replace(set, MATERIAL_CA, &request);
}

/* Without the root that signed the intermediate: the client chains to the intermediate. */
static void intermediate_alone(Set *set)
{
        missing_intermediate(set);
        set_clear(set, MATERIAL_CA);
        set_add_certificate(set, MATERIAL_CA, set->authority->intermediate);
}

/* Followed by the good CA of the same name and key, which can replace it. */
static void ca_expired_renewed(Set *set)
{
        ca_expired(set);
        set_add_certificate(set, MATERIAL_CA, set->authority->ca);
}

static void ca_expired_unneeded(Set *set)
{
        Request request = other_ca_request(set);

        request.not_after = -AUTHORITY_HOUR;
        set_add_issued(set, MATERIAL_CA, &request);
}

static void same_name(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.organisation = "another organisation";
        request.common_name = AUTHORITY_NAME;
        set_replace(set, MATERIAL_CERT, &request);
}

/* The whole name is the CA's, so the certificate appears to be self-issued. */
static void same_subject(Set *set)
{
        Request request = authority_client_request(set->authority);

        request.common_name = AUTHORITY_NAME;
        set_replace(set, MATERIAL_CERT, &request);
}

const Fixture chain_fixtures[] = {
        {"good-two-cas", "-", two_cas},
        {"good-renewed-ca", "-", renewed_ca},
        {"good-same-ca-twice", "-", same_ca_twice},
        {"good-chain", "-", chain},
        {"good-chain-with-root", "-", chain_with_root},
        {"good-chain-leaf-last", "-", chain_leaf_last},
        {"good-intermediate-in-ca-file", "-", intermediate_in_ca_file},
        {"good-sha1-root", "-", sha1_root},
        {"good-version1-root", "-", version1_root},
        {"good-intermediate-alone", "-", intermediate_alone},
        {"ca-not-yet-valid", "cert-not-yet-valid/ca/error", ca_not_yet_valid},
        {"ca-expires-soon", "expires-soon/ca/warning", ca_expires_soon},
        {"chain-broken", "chain-broken/cert/error", chain_broken},
        {"chain-broken-signature", "chain-broken/cert/error", chain_broken_signature},
        {"chain-broken-missing-intermediate", "chain-broken/cert/error", missing_intermediate},
        {"ca-not-a-ca", "ca-not-a-ca/ca/error", client_in_ca_file},
        {"ca-not-a-ca-signer", "ca-not-a-ca/ca/error", ca_without_constraint},
        {"ca-expired", "ca-expired/ca/error", ca_expired},
        {"ca-expired-renewed", "ca-expired/ca/warning", ca_expired_renewed},
        {"ca-expired-unneeded", "ca-expired/ca/warning", ca_expired_unneeded},
        {"ca-expired-intermediate", "ca-expired/cert/error", intermediate_expired},
        {"same-common-name", "same-common-name/cert/error", same_name},
        {"same-common-name-same-subject", "same-common-name/cert/error", same_subject},
        {.name = NULL},
};
