#pragma once

/*
 * RDS: names the stored procedures of Aurora MySQL that the program calls, all in the schema mysql
 * (doc/aurora.md, "Versions and privileges" and "After the import").
 */

#define RDS_IMPORT_PROCEDURE "rds_import_binlog_ssl_material"
#define RDS_STOP_PROCEDURE   "rds_stop_replication"
#define RDS_START_PROCEDURE  "rds_start_replication"
