package state

import "context"

// postgresTables describes the tables. A row is found again by where it lies:
// within one transaction that holds as long as nobody else changes it, and who
// changes it meanwhile makes this one begin again.
func postgresTables(ctx context.Context, t tx) (list []table, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var name, column, kind string
		if err := scan(&name, &column, &kind); err != nil {
			return err
		}
		if n := len(list); n == 0 || list[n-1].name != name {
			list = append(list, table{name: name, key: []string{rowPlace}, bytes: map[string]bool{}})
		}
		x := &list[len(list)-1]
		x.texts = append(x.texts, column)
		x.bytes[column] = kind == "bytea"
		return nil
	}, "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c JOIN information_schema.tables b USING (table_schema, table_name) "+
		"WHERE c.table_schema = current_schema() AND b.table_type = 'BASE TABLE' AND c.data_type IN ('text', 'bytea', 'character varying', 'json', 'jsonb') "+
		"ORDER BY c.table_name, c.ordinal_position")
	return list, err
}

func postgresGuards(_ context.Context, _ tx, table string) ([]guard, error) {
	return []guard{{off: "ALTER TABLE " + table + " DISABLE TRIGGER USER", on: "ALTER TABLE " + table + " ENABLE TRIGGER USER"}}, nil
}

// postgresScrub frees what rows held that are gone, and takes new samples for the
// planner: the old ones are values of rows.
func postgresScrub(ctx context.Context, t tx) error {
	tables, err := postgresTables(ctx, t)
	for _, x := range tables {
		if err == nil {
			_, err = t.exec(ctx, "VACUUM (ANALYZE) "+x.name)
		}
	}
	return err
}
