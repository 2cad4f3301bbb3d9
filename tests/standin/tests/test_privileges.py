"""The privileges of the least-privilege user of README.md, and no others."""

import pytest

from tests.standin.client import Client, SqlError
from tests.standin.cluster import IMPORT_PASSWORD, IMPORT_USER, import_call

NO_PRIVILEGE = 1370
NO_PROCEDURE = 1305
IMPORT = "mysql.rds_import_binlog_ssl_material"
SET_SOURCE = "CALL mysql.rds_set_external_source('127.0.0.1', 1, 'u', 'p', 'f', 4, 1)"


def code_of(client, text):
    with pytest.raises(SqlError) as caught:
        client.sql(text)
    return caught.value.code


def test_the_importer_may_read_variables_and_replica_status(aurora):
    importer = aurora.as_importer()
    assert importer.sql("SHOW GLOBAL VARIABLES LIKE 'innodb_read_only'") == \
        [["innodb_read_only", "OFF"]]
    assert importer.sql("SHOW REPLICA STATUS") == []


def test_the_importer_cannot_log_in_without_tls(aurora):
    plain = Client.over_tcp(aurora.port, IMPORT_USER, IMPORT_PASSWORD, ca=None)
    assert code_of(plain, "DO 0") == 1045
    assert aurora.as_importer().sql("SELECT 1") == [["1"]]


def test_the_importer_cannot_log_in_with_another_password(aurora):
    other = Client.over_tcp(aurora.port, IMPORT_USER, IMPORT_PASSWORD + "x", ca=aurora.ca)
    assert code_of(other, "DO 0") == 1045


@pytest.mark.parametrize("text, code", [
    ("SELECT * FROM standin.imports", 1142),
    ("UPDATE standin.options SET value = ''", 1142),
    ("SELECT * FROM mysql.user", 1142),
    ("SELECT * FROM mysql.proc", 1142),
    ("SET GLOBAL general_log = 1", 1227),
    ("STOP REPLICA", 1227),
    ("CREATE DATABASE mine", 1044),
    ("SELECT 1 INTO OUTFILE '/nowhere/file'", 1227),
    (SET_SOURCE, NO_PRIVILEGE),
    ("CALL mysql.rds_remove_binlog_ssl_material()", NO_PRIVILEGE),
])
def test_the_importer_may_do_nothing_else(aurora, text, code):
    assert code_of(aurora.as_importer(), text) == code


def test_the_importer_sees_no_database_of_the_standin(aurora):
    names = {row[0] for row in aurora.as_importer().sql("SHOW DATABASES")}
    assert names - {"performance_schema"} == {"information_schema", "mysql"}


@pytest.mark.parametrize("name, arguments", [
    ("rds_import_binlog_ssl_material", "('{}')"),
    ("rds_stop_replication", ""),
    ("rds_start_replication", ""),
])
def test_without_the_grant_of_a_procedure_it_is_denied(aurora, name, arguments):
    call = f"CALL mysql.{name}{arguments}"
    assert code_of(aurora.as_importer(), call) != NO_PRIVILEGE
    aurora.sql(f"REVOKE EXECUTE ON PROCEDURE mysql.{name} FROM {IMPORT_USER}@'%'")
    try:
        assert code_of(aurora.as_importer(), call) == NO_PRIVILEGE
    finally:
        aurora.sql(f"GRANT EXECUTE ON PROCEDURE mysql.{name} TO {IMPORT_USER}@'%'")


def test_without_the_procedure_a_user_with_the_grant_gets_1305(aurora, material):
    with aurora.without_procedure():
        assert code_of(aurora.as_importer(), import_call(material)) == NO_PROCEDURE
    aurora.as_importer().sql(import_call(material))


def test_without_procedure_and_without_grant_a_user_gets_1370(aurora):
    """Error 1370 does not show whether the procedure exists."""
    assert code_of(aurora.as_importer(), "CALL mysql.rds_of_another_version") == NO_PRIVILEGE


def test_without_procedure_a_user_who_may_execute_all_gets_1305(aurora):
    aurora.sql(f"GRANT EXECUTE ON mysql.* TO {IMPORT_USER}@'%'")
    try:
        assert code_of(aurora.as_importer(), "CALL mysql.rds_of_another_version") == NO_PROCEDURE
    finally:
        aurora.sql(f"REVOKE EXECUTE ON mysql.* FROM {IMPORT_USER}@'%'")
