package state

import (
	"context"

	"concord/jobs"
)

// HostFiles implements jobs.HostFiles.
func (s *Store) HostFiles(ctx context.Context, host string) (list []jobs.HostFile, err error) {
	err = s.read(ctx, "list what was taken from a host", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			f := jobs.HostFile{Host: host}
			err := scan(&f.Name, &f.Bytes, moment{&f.Changed}, moment{&f.Taken})
			list = append(list, f)
			return err
		}, "SELECT name, bytes, changed, taken FROM host_files WHERE host = $1", host)
	})
	return list, err
}

// KeepHostFile implements jobs.HostFiles.
func (s *Store) KeepHostFile(ctx context.Context, f jobs.HostFile) error {
	return s.write(ctx, "remember what was taken from a host", func(t tx) error {
		_, err := t.exec(ctx, "INSERT INTO host_files (host, name, bytes, changed, taken) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
			f.Host, text(f.Name), f.Bytes, edge(micro(f.Changed)), micro(f.Taken))
		return err
	})
}
