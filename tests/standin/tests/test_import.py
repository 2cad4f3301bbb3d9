"""rds_import_binlog_ssl_material and rds_remove_binlog_ssl_material."""

import json
import time

import pytest

from tests.standin.client import SqlError
from tests.standin.cluster import document, import_call
from tests.standin.pki import PKCS1, PKCS8, key_as

FORMS = ["raw", "escaped"]
COMPLETE = [{"Message": "SSL material import complete."}]


def refused(aurora, text):
    """Returns the error message of an import that must fail without side effects."""
    before, files = aurora.imports(), aurora.material()
    with pytest.raises(SqlError) as caught:
        aurora.as_importer().sql(import_call(text))
    assert (caught.value.code, caught.value.state) == (1644, "45000")
    assert (aurora.imports(), aurora.material()) == (before, files)
    return caught.value.message


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wanted", ["both", *FORMS])
def test_newlines_are_accepted_in_the_configured_form_only(aurora, authority, pair, form, wanted):
    aurora.set_option("newlines", wanted)
    text = document(authority.certificate, pair, newlines=form)
    assert ("\n" in text) == (form == "raw")
    if wanted in ("both", form):
        assert aurora.as_importer().rows(import_call(text)) == COMPLETE
        assert aurora.imports()[-1]["newlines"] == form
    else:
        assert refused(aurora, text) == "The SSL material is not in the right format."


@pytest.mark.parametrize("form", FORMS)
def test_an_import_writes_the_three_files_unchanged(aurora, authority, pair, form):
    before = set(aurora.material())
    aurora.as_importer().sql(import_call(document(authority.certificate, pair, newlines=form)))
    written = {path.name.split("-")[1]: path for path in set(aurora.material()) - before}
    assert {name: path.read_bytes() for name, path in written.items()} == {
        "ca.pem.BAK": authority.certificate.read_bytes(),
        "cert.pem.BAK": pair.certificate.read_bytes(),
        "key.pem.BAK": key_as(pair.key, PKCS1)}


def test_the_table_of_imports_does_not_contain_the_key(aurora, authority, pair, material):
    aurora.as_importer().sql(import_call(material))
    row = aurora.imports()[-1]
    assert row["ssl_ca"] == authority.certificate.read_text()
    assert row["ssl_cert"] == pair.certificate.read_text()
    assert str(row["cipher"]).startswith("TLS_")
    assert str(row["account"]).startswith("ssl_importer@")
    assert not any("PRIVATE KEY" in str(value) for value in row.values())


def test_a_key_as_pkcs8_is_refused(aurora, authority, pair):
    text = document(authority.certificate, pair, header=PKCS8)
    assert refused(aurora, text) == "ssl_key must be an RSA PRIVATE KEY."


@pytest.mark.parametrize("name", ["ssl_ca", "ssl_cert", "ssl_key"])
def test_each_of_the_three_fields_is_required(aurora, authority, pair, name):
    fields = json.loads(document(authority.certificate, pair, newlines="escaped"))
    del fields[name]
    assert refused(aurora, json.dumps(fields)) == "The SSL material is not valid JSON."


def test_an_incomplete_document_is_refused(aurora, material):
    assert refused(aurora, material[:-1]) == "The SSL material is not valid JSON."


def test_a_slow_import_answers_and_commits_late(aurora, material):
    aurora.set_option("slow_seconds", "0.4")
    before = time.time()
    aurora.as_importer().sql(import_call(material))
    assert time.time() - before >= 0.4
    newest = "SELECT UNIX_TIMESTAMP(at) FROM standin.imports ORDER BY id DESC LIMIT 1"
    assert float(aurora.sql(newest)[0][0]) - before >= 0.4


def test_fail_at_import_refuses_an_import(aurora, material):
    aurora.set_option("fail_at", "import")
    assert refused(aurora, material) == "The SSL material could not be imported."


def test_a_refused_import_succeeds_after_the_options_are_reset(aurora, material):
    aurora.set_option("fail_at", "import")
    refused(aurora, material)
    aurora.reset_options()
    assert aurora.as_importer().rows(import_call(material)) == COMPLETE


def test_a_removal_deletes_the_files_and_returns_no_rows(aurora, material):
    aurora.as_importer().sql(import_call(material))
    before = aurora.imports()
    assert len(aurora.material()) >= 3
    assert aurora.rows("CALL mysql.rds_remove_binlog_ssl_material()") == []
    assert aurora.material() == []
    assert aurora.imports() == before


def test_an_import_after_a_removal_succeeds(aurora, material):
    aurora.sql("CALL mysql.rds_remove_binlog_ssl_material()")
    assert aurora.as_importer().rows(import_call(material)) == COMPLETE
    assert len(aurora.material()) == 3
