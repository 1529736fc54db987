package config

import _ "embed"

// Example is an annotated configuration that can be loaded once the files that
// it names are there.
//
//go:embed concord.example.yaml
var Example []byte
