-- No two versions may lie in the same folder, whatever their periods are called.

-- +goose Up
CREATE UNIQUE INDEX reports_by_folder ON reports (folder);
