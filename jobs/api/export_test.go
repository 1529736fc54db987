package api

// Route is a route for tests.
type Route struct {
	Method, Path string
	Params       []string
}

// Routes lists all routes.
func Routes() (all []Route) {
	for _, r := range routes() {
		all = append(all, Route{r.method, r.path, r.params})
	}
	return all
}
