"""A stand-in server as an Aurora reader."""

import pytest

from tests.standin.client import SqlError
from tests.standin.cluster import import_call

READ_ONLY = {"mariadb": 1036, "mysql": 1015}


@pytest.fixture
def reader(aurora, material):
    aurora.as_importer().sql(import_call(material))
    aurora.become_reader()
    yield aurora
    aurora.become_writer()


def test_the_importer_can_detect_a_reader(reader):
    importer = reader.as_importer()
    assert importer.sql("SELECT @@innodb_read_only, @@read_only") == [["1", "0"]]
    assert importer.sql("SHOW GLOBAL VARIABLES LIKE 'innodb_read_only'") == \
        [["innodb_read_only", "ON"]]
    assert importer.sql("SHOW REPLICA STATUS") == []


def test_an_import_on_a_reader_fails_and_writes_nothing(reader, material):
    before, files = reader.imports(), reader.material()
    with pytest.raises(SqlError) as caught:
        reader.as_importer().sql(import_call(material))
    assert caught.value.code == READ_ONLY[reader.make.name]
    assert (reader.imports(), reader.material()) == (before, files)


def test_a_reader_becomes_a_writer_with_the_same_data(reader, material):
    before, port = reader.imports(), reader.port
    reader.become_writer()
    assert reader.port == port
    assert reader.imports() == before
    reader.as_importer().sql(import_call(material))
    assert len(reader.imports()) == len(before) + 1


def test_a_replica_that_becomes_a_reader_no_longer_replicates(replica):
    replica.sql("CALL mysql.rds_start_replication")
    assert replica.replication()["Replica_SQL_Running"] == "Yes"
    replica.become_reader()
    try:
        assert replica.replication()["Replica_SQL_Running"] == "No"
    finally:
        replica.become_writer()
