#include "tests/pki/set.h"

/*
 * The fixtures that a source refuses because of what the certificates on the path are for, how
 * strong they are, or what a CA permits. Random sets of the same kinds meet a real server in
 * tests/integration/test_source_verdict.py.
 */

#define CLIENT_BASIC "basicConstraints = CA:FALSE\nsubjectKeyIdentifier = hash\n"

static void client_with(Set *set, const char *extensions)
{
        Request request = authority_client_request(set->authority);

        request.extensions = extensions;
        set_replace(set, MATERIAL_CERT, &request);
}

static void client_without_signature(Set *set)
{
        client_with(set,
                CLIENT_BASIC "keyUsage = keyEncipherment\n"
                             "extendedKeyUsage = clientAuth\n");
}

static void client_key_agreement(Set *set)
{
        client_with(set,
                CLIENT_BASIC "keyUsage = keyAgreement\n"
                             "extendedKeyUsage = clientAuth\n");
}

static void client_any_usage(Set *set)
{
        client_with(set, AUTHORITY_CLIENT_EXTENSIONS "extendedKeyUsage = anyExtendedKeyUsage\n");
}

static void client_any_and_client_usage(Set *set)
{
        client_with(set,
                AUTHORITY_CLIENT_EXTENSIONS "extendedKeyUsage = anyExtendedKeyUsage, clientAuth\n");
}

static void client_netscape_server(Set *set)
{
        client_with(set, AUTHORITY_CLIENT_EXTENSIONS "nsCertType = server\n");
}

/* The client's certificate alone in its file, and an intermediate of this request in `file`. */
static void with_intermediate(Set *set, MaterialFile file, const Request *request)
{
        Request client = authority_chained_client_request(set->authority);

        client.issuer_key = request->key;
        set_replace(set, MATERIAL_CERT, &client);
        set_add_issued(set, file, request);
}

static Request server_ca_request(const Set *set)
{
        Request request = authority_intermediate_request(set->authority);

        request.extensions = AUTHORITY_CA_EXTENSIONS "extendedKeyUsage = serverAuth\n";
        return request;
}

static void server_ca(Set *set)
{
        Request request = server_ca_request(set);

        with_intermediate(set, set->file, &request);
}

static void sha1_intermediate(Set *set)
{
        Request request = authority_intermediate_request(set->authority);

        request.digest = "SHA1";
        with_intermediate(set, set->file, &request);
}

/* Other clients of OpenSSL read the whole file, so what is not on the path counts as well. */
static void sha1_beside_the_path(Set *set)
{
        Request request = authority_intermediate_request(set->authority);

        request.digest = "SHA1";
        set_add_issued(set, MATERIAL_CERT, &request);
}

static void short_ca(Set *set)
{
        Request ca_request = authority_ca_request(set->authority);
        Request request = authority_client_request(set->authority);
        CLEANUP(X509_freep) X509 *ca = NULL;

        ca_request.key = ca_request.issuer_key = set->authority->short_key;
        ca = authority_issue(set->authority, &ca_request);
        set_clear(set, MATERIAL_CA);
        set_add_certificate(set, MATERIAL_CA, ca);
        request.issuer = ca;
        request.issuer_key = set->authority->short_key;
        set_replace(set, MATERIAL_CERT, &request);
}

/* As of September 2021: the new root, signed by an old one that has expired. */
static void expired_cross_signed_root(Set *set)
{
        Request old = authority_ca_request(set->authority);
        Request cross = authority_ca_request(set->authority);
        CLEANUP(X509_freep) X509 *old_root = NULL;

        old.common_name = "an old root";
        old.key = old.issuer_key = set->authority->other_ca_key;
        old_root = authority_issue(set->authority, &old);
        cross.issuer = old_root;
        cross.issuer_key = old.issuer_key;
        cross.not_after = -AUTHORITY_HOUR;
        set_add_issued(set, MATERIAL_CERT, &cross);
}

/* A root with constraints, and an intermediate that breaks them, or whose client does. */
static void constrained(Set *set, const char *root_extensions)
{
        Request root = authority_ca_request(set->authority);
        Request intermediate = authority_intermediate_request(set->authority);

        root.extensions = root_extensions;
        set_replace(set, MATERIAL_CA, &root);
        with_intermediate(set, MATERIAL_CERT, &intermediate);
}

static void path_length(Set *set)
{
        constrained(set,
                "basicConstraints = critical, CA:TRUE, pathlen:0\n"
                "keyUsage = critical, keyCertSign, cRLSign\n"
                "subjectKeyIdentifier = hash\n");
}

static void path_length_kept(Set *set)
{
        constrained(set,
                "basicConstraints = critical, CA:TRUE, pathlen:1\n"
                "keyUsage = critical, keyCertSign, cRLSign\n"
                "subjectKeyIdentifier = hash\n");
}

static void with_name_constraint(Set *set, const char *name)
{
        Request request = authority_client_request(set->authority);
        Request root = authority_ca_request(set->authority);

        root.extensions =
                AUTHORITY_CA_EXTENSIONS "nameConstraints = critical, permitted;DNS:example.com\n";
        set_replace(set, MATERIAL_CA, &root);
        request.extensions = name;
        set_replace(set, MATERIAL_CERT, &request);
}

static void name_outside(Set *set)
{
        with_name_constraint(
                set, AUTHORITY_CLIENT_EXTENSIONS "subjectAltName = DNS:replica.example.net\n");
}

static void name_inside(Set *set)
{
        with_name_constraint(
                set, AUTHORITY_CLIENT_EXTENSIONS "subjectAltName = DNS:replica.example.com\n");
}

const Fixture path_fixtures[] = {
        {"good-key-agreement", "-", client_key_agreement},
        {"good-any-and-client-usage", "-", client_any_and_client_usage},
        {"good-path-length", "-", path_length_kept},
        {"good-name-constraint", "-", name_inside},
        {"cert-usage-key-encipherment", "cert-usage/cert/error", client_without_signature},
        {"cert-usage-any", "cert-usage/cert/error", client_any_usage},
        {"cert-usage-netscape", "cert-usage/cert/error", client_netscape_server},
        {"cert-usage-ca-in-cert", "cert-usage/cert/error", server_ca},
        {"cert-usage-ca-in-ca", "cert-usage/ca/error", server_ca},
        {"cert-signature-ca-in-cert", "cert-signature/cert/error", sha1_intermediate},
        {"cert-signature-ca-in-ca", "cert-signature/ca/error", sha1_intermediate},
        {"cert-signature-unneeded", "cert-signature/cert/error", sha1_beside_the_path},
        {"key-bits-ca", "key-bits/ca/error", short_ca},
        {"ca-expired-cross-signed", "ca-expired/cert/warning", expired_cross_signed_root},
        {"ca-constraint-path-length", "ca-constraint/ca/error", path_length},
        {"ca-constraint-name", "ca-constraint/cert/error", name_outside},
        {.name = NULL},
};
