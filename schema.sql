-- The tables of seqsvr in MySQL or MariaDB.
--
-- With `schema: auto` seqsvr makes them itself. With `schema: manual`, or where its user may not create
-- tables, import this file once into its database:  mysql sequence < schema.sql
-- Importing it again changes nothing, and tables of the older Go server are used as they are.
--
-- Each statement ends with a semicolon at the end of a line, and no comment does.

-- One row for each instance that has ever leased: the number of its latest lease. The ids of lease n start at n
-- multiplied by the step, so this table must be InnoDB and its counter must never go back.
-- The comment at its end is one that TiDB reads: each of its servers would otherwise lease numbers of its own.
-- Never truncate it. Rows of instances that are gone may be deleted, but never the row with the greatest id.
CREATE TABLE IF NOT EXISTS generator_table (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  uuid CHAR(36) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY (uuid)
) ENGINE = InnoDB /*T![auto_id_cache] AUTO_ID_CACHE=1 */;

-- One row for each named sequence. max_id is the first id not yet leased; one lease holds step ids or a multiple of it.
-- The names are binary, so that Order and order, and names that differ in a trailing space, stay apart.
CREATE TABLE IF NOT EXISTS segments (
  app_tag VARBINARY(512) NOT NULL,
  max_id BIGINT UNSIGNED NOT NULL,
  step BIGINT NOT NULL,
  update_time DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (app_tag)
) ENGINE = InnoDB;

-- One row for each counter behind a rule. counter is the greatest number reserved so far, update_time is when that was,
-- in seconds since 1970: it tells which period the number belongs to. Instances with the same node_offset share a row.
-- A negative counter, -1 - n, is a refusal: the database had forgotten numbers up to n (docs/rules.md).
CREATE TABLE IF NOT EXISTS counter (
  node_offset INT NOT NULL DEFAULT 0,
  counter BIGINT NOT NULL DEFAULT 0,
  update_time BIGINT NOT NULL DEFAULT 0,
  rule_name VARBINARY(256) NOT NULL DEFAULT '',
  app_name VARBINARY(256) NOT NULL DEFAULT '',
  PRIMARY KEY (node_offset, rule_name, app_name)
) ENGINE = InnoDB;

-- Which instance leased which ids: one row for each lease, or for adjacent ones of one grant, written in its transaction.
-- The ids are start_id and on to below end_id; sequence is empty for the generator; time_ms is in ms since 1970. Old rows are
-- removed by seqsvr itself, but never the last one of a sequence: where a table above stands below it, it went backwards.
-- Not needed with provenance.days = 0.
CREATE TABLE IF NOT EXISTS seqsvr_leases (
  sequence VARBINARY(512) NOT NULL,
  start_id BIGINT UNSIGNED NOT NULL,
  end_id BIGINT UNSIGNED NOT NULL,
  instance CHAR(36) CHARACTER SET ascii NOT NULL,
  time_ms BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (sequence, start_id),
  KEY (time_ms, instance)
) ENGINE = InnoDB;

-- What all instances must know of each other:
--   generator.step    ids in one lease, agreed by the first instance
--   generator.first   0, or 1 where the ids of a lease start one higher, agreed likewise
--   generator.floor   only after the database went backwards: ids below this may be in use already, and nothing is
--                     leased until generator_table has an id whose lease starts at or past it
--   segment.floor/T   the same for the sequence T; also what a retired T had leased, should it be made again
-- Do not change step or first by hand while any instance runs.
CREATE TABLE IF NOT EXISTS seqsvr_meta (
  name VARBINARY(600) NOT NULL,
  value BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (name)
) ENGINE = InnoDB;
