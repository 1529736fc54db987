-- Files that arrived encrypted: sha256 and bytes of a file are those of its
-- content, these are what they were as it arrived.

-- +goose Up
ALTER TABLE files ADD COLUMN sealed_sha256 TEXT NOT NULL DEFAULT ''; -- empty: it was not encrypted
ALTER TABLE files ADD COLUMN sealed_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE purge_remains ADD COLUMN sealed_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE purge_remains ADD COLUMN sealed_bytes INTEGER NOT NULL DEFAULT 0;
