#pragma once

/*
 * RDS: names the stored procedures of Aurora MySQL that the program calls, all in the schema mysql
 * (doc/aurora.md, "Versions and privileges" and "After the import").
 */

#define RDS_IMPORT_PROCEDURE "rds_import_binlog_ssl_material"
#define RDS_REMOVE_PROCEDURE "rds_remove_binlog_ssl_material"
#define RDS_STOP_PROCEDURE   "rds_stop_replication"
#define RDS_START_PROCEDURE  "rds_start_replication"

/* Which of the two exists depends on the version; each also with RDS_AUTO_POSITION. */
#define RDS_SET_SOURCE_PROCEDURE "rds_set_external_source"
#define RDS_SET_MASTER_PROCEDURE "rds_set_external_master"
#define RDS_AUTO_POSITION        "_with_auto_position"
#define RDS_SSL_PROCEDURE        "rds_set_binlog_source_ssl"
