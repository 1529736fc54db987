package console

import "concord/jobs/control"

// Route is a route for tests.
type Route struct {
	Pattern string
	Right   control.Right
}

// Routes lists the routes of people who are logged in.
func Routes() (all []Route) {
	for _, r := range routes() {
		all = append(all, Route{r.pattern, r.right})
	}
	return all
}
