package parquetio

var plainWidth = [...]int{Int32: 4, Int64: 8, Int96: 12, Float: 4, Double: 8, ByteArray: 0, FixedLen: 0}
