# Vault Agent: writes a certificate from Vault's PKI into the material of binlog-ssld. Put the
# stanza into the agent's configuration; consul-template accepts the same one.
#
# The agent must run as root to give the key to a group, or as a member of binlog-ssld with the
# material directory writable for that group. Its reaction to a command that fails depends on its
# version; it logs the failure at least. Use the alerts of conf/prometheus as well.

template {
  # pkiCert stores the certificate here and requests another only when this one is about to expire.
  # The file is outside of the material directory, and only its owner can read it.
  destination = "/etc/vault-agent/binlog-ssld.pem"
  perms       = "0600"

  # The line of .CA is only for a source whose certificate is signed by the same CA. Otherwise
  # remove the line and write the CA of the source to ca.pem.
  contents = <<EOT
{{- with pkiCert "pki/issue/replica" "common_name=replica.example.com" "ttl=720h" -}}
{{ .Cert }}{{ .CA }}{{ .Key }}
{{ .CA | writeToFile "/etc/binlog-ssld/material/ca.pem" "root" "binlog-ssld" "0644" }}
{{ .Cert | writeToFile "/etc/binlog-ssld/material/client-cert.pem" "root" "binlog-ssld" "0644" }}
{{ .Key | writeToFile "/etc/binlog-ssld/material/client-key.pem" "root" "binlog-ssld" "0640" }}
{{- end -}}
EOT

  # The files are written in place, one after the other; settle-limit covers the time between.
  exec {
    command = ["binlog-sslctl", "wait", "--timeout", "5min",
               "--cert", "/etc/binlog-ssld/material/client-cert.pem"]
    timeout = "6m"
  }
}
