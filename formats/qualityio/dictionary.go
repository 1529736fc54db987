package qualityio

import "concord/formats"

// Dictionary describes the columns of a canonical file of quality rows.
func Dictionary() []formats.DictionaryEntry {
	var entries []formats.DictionaryEntry
	for _, c := range columns() {
		d := c.parquet()
		entries = append(entries, formats.DictionaryEntry{
			File: "quality", Column: c.name, Type: formats.TypeName(d), Unit: c.unit, Null: d.Optional, Meaning: c.meaning,
		})
	}
	return entries
}
