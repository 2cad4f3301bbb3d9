# Vault Agent: a certificate from Vault's PKI into the material of binlog-ssld. Put the stanza into
# the agent's configuration; consul-template takes the same one.
#
# The agent must run as root to give the key to a group, or as a member of binlog-ssld with the
# material directory writable for that group. What it does when the command fails depends on its
# version: it logs it at least. Let the alerts of conf/prometheus watch as well.

template {
  # pkiCert keeps what it got here and asks Vault for another only when this one nears its end;
  # outside of the material directory, and for nobody else to read.
  destination = "/etc/vault-agent/binlog-ssld.pem"
  perms       = "0600"

  # Only for material of which the source's certificate is signed by the same CA; otherwise leave
  # the line of .CA away and let ca.pem be the source's.
  contents = <<EOT
{{- with pkiCert "pki/issue/replica" "common_name=replica.example.com" "ttl=720h" -}}
{{ .Cert }}{{ .CA }}{{ .Key }}
{{ .CA | writeToFile "/etc/binlog-ssld/material/ca.pem" "root" "binlog-ssld" "0644" }}
{{ .Cert | writeToFile "/etc/binlog-ssld/material/client-cert.pem" "root" "binlog-ssld" "0644" }}
{{ .Key | writeToFile "/etc/binlog-ssld/material/client-key.pem" "root" "binlog-ssld" "0640" }}
{{- end -}}
EOT

  # The files are written in place, one after the other: settle-limit is for that.
  exec {
    command = ["binlog-sslctl", "wait", "--timeout", "5min",
               "--cert", "/etc/binlog-ssld/material/client-cert.pem"]
    timeout = "6m"
  }
}
