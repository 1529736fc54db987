-- Which data folder the files are in that this database knows of.

-- +goose Up
CREATE TABLE data_folder (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id  TEXT NOT NULL
);
