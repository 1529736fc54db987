package state

import "context"

// Folder returns the id of the data folder that the database belongs to: the
// one that was named first.
func (s *Store) Folder(ctx context.Context, id string) (owner string, err error) {
	err = s.write(ctx, "find the data folder", func(t tx) error {
		if _, err := t.exec(ctx, "INSERT INTO data_folder (one, id) VALUES (1, $1) ON CONFLICT DO NOTHING", id); err != nil {
			return err
		}
		_, err := t.one(ctx, []any{&owner}, "SELECT id FROM data_folder")
		return err
	})
	return owner, err
}
