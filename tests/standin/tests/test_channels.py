"""A replica with the rows of several channels in its status, or with none."""

import pytest

from tests.standin.tests.calls import START, import_pair, runs

RESET = "CALL mysql.rds_reset_external_source"
NAMES = ("east", "west")


def test_a_replica_without_configuration_has_no_row(replica):
    assert len(replica.channels()) == 1
    replica.sql(RESET)
    assert replica.channels() == [] and replica.replication() == {}


def test_a_status_with_channels(replica, source):
    with replica.with_channels(*NAMES):
        rows = replica.channels()
        if replica.make.name == "mysql":
            assert sorted(str(row["Channel_Name"]) for row in rows) == ["", *NAMES]
        else:
            assert len(rows) == 1 and rows[0]["Source_Port"] == str(source.port)
            assert {row["Connection_name"] for row in replica.rows("SHOW ALL REPLICAS STATUS")} == \
                {"", *NAMES}
    assert len(replica.channels()) == 1


def test_channels_with_names_only(replica):
    replica.sql(RESET)
    with replica.with_channels(*NAMES):
        names = [row["Channel_Name"] for row in replica.channels()]
        assert names == (list(NAMES) if replica.make.name == "mysql" else [])
    assert replica.channels() == []


@pytest.mark.parametrize("thread", ["Replica_IO_Running", "Replica_SQL_Running"])
def test_only_the_channel_of_the_source_runs(replica, authority, pair, thread):
    import_pair(replica, authority, pair)
    replica.sql(START)
    replica.wait_for_replication(runs)
    with replica.with_channels(*NAMES):
        assert [row[thread] for row in replica.channels()] == \
            ["Yes"] + (["No", "No"] if replica.make.name == "mysql" else [])
