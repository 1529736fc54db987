package service

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"concord/exchange/httpd"
	"concord/exchange/sftpd"
	"concord/jobs"
	"concord/jobs/dispatch"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what Prometheus is told. No label holds more than the name of a
// carrier or a job.
type metrics struct {
	registry *prometheus.Registry
	files    *prometheus.CounterVec
	rows     *prometheus.CounterVec
	runs     *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	lost     prometheus.Counter
	logins   *prometheus.CounterVec
	requests *prometheus.CounterVec
	moved    *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	messages *prometheus.CounterVec
	listings *prometheus.CounterVec
	changes  *prometheus.CounterVec
	fetched  *prometheus.CounterVec
	reports  *prometheus.CounterVec
	usages   *prometheus.CounterVec
	purged   *prometheus.CounterVec

	microsoft *prometheus.CounterVec
	delivered *prometheus.CounterVec
}

func newMetrics(s *Service) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		files:    counter("concord_files_total", "Files that were decided, by side and what became of them.", "carrier", "side", "status"),
		rows:     counter("concord_rows_total", "Rows of files that were decided.", "carrier", "side", "verdict"),
		runs:     counter("concord_runs_total", "Runs that ended, by how.", "job", "how"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "concord_run_seconds", Help: "How long runs took.", Buckets: prometheus.ExponentialBuckets(0.05, 3, 10),
		}, []string{"job"}),
		lost:     prometheus.NewCounter(prometheus.CounterOpts{Name: "concord_runs_lost_total", Help: "Runs that were taken from a service that fell silent."}),
		logins:   counter("concord_sftp_events_total", "What clients of the SFTP server did, and what was refused.", "act"),
		requests: counter("concord_carrier_http_events_total", "What carriers did over HTTP, and what was refused.", "act"),
		moved:    counter("concord_carrier_http_bytes_total", "Bytes of files that carriers have put or got over HTTP.", "act"),
		bytes:    counter("concord_sftp_bytes_total", "Bytes of files that clients have put or got.", "act"),
		messages: counter("concord_alert_messages_total", "Messages of alerts, by whether they were taken.", "taken"),
		listings: counter("concord_number_listings_total", "Microsoft's listings of numbers, by what became of them.", "carrier", "status"),
		changes:  counter("concord_number_changes_total", "Numbers that carriers were told of, by what changed.", "carrier", "change"),
		fetched:  counter("concord_microsoft_host_files_total", "Files that were taken from hosts of Microsoft's side.", "host"),
		purged:   counter("concord_purged_total", "Things that were purged.", "carrier", "class"),
		reports:  counter("concord_reports_delivered_total", "Versions of reports that were put into outboxes of carriers.", "carrier"),
		usages:   counter("concord_usage_versions_total", "Versions of usage that were published, by whether every day had a report.", "carrier", "complete"),

		microsoft: counter("concord_microsoft_files_total", "Microsoft's files of quality rows, and those about several carriers (no carrier), by what became of them.", "carrier", "holds", "status"),
		delivered: counter("concord_call_changes_total", "Calls and quality rows that carriers were told of, by what changed.", "carrier", "holds", "change"),
	}
	m.registry.MustRegister(m.files, m.rows, m.runs, m.seconds, m.lost, m.logins, m.bytes, m.requests, m.moved, m.messages, m.listings, m.changes, m.fetched, m.reports, m.usages, m.purged, m.microsoft, m.delivered,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.gauge("concord_disk_free_bytes", "What is free where the data folder is.", func() float64 { free, _ := s.free(); return float64(free) }),
		m.gauge("concord_leader", "1 when this service has the exchange with carriers.", func() float64 {
			if s.leads() {
				return 1
			}
			return 0
		}),
		stateGauges{s})
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func (m *metrics) gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

func (m *metrics) decided(e jobs.Entry) {
	side := "carrier"
	if e.Microsoft {
		side = "microsoft"
	}
	m.files.WithLabelValues(e.Carrier, side, string(e.Status)).Inc()
	for verdict, n := range map[string]int64{"accepted": e.Accepted, "rejected": e.Rejected, "filtered": e.Filtered} {
		m.rows.WithLabelValues(e.Carrier, side, verdict).Add(float64(n))
	}
}

func (m *metrics) ended(r jobs.Run, how dispatch.How, now time.Time) {
	m.runs.WithLabelValues(r.Job, string(how)).Inc()
	m.seconds.WithLabelValues(r.Job).Observe(now.Sub(r.Started).Seconds())
}

func (m *metrics) sftp(e sftpd.Event) {
	m.logins.WithLabelValues(string(e.Act)).Inc()
	if e.Bytes > 0 {
		m.bytes.WithLabelValues(string(e.Act)).Add(float64(e.Bytes))
	}
}

func (m *metrics) counted(e httpd.Event) {
	m.requests.WithLabelValues(string(e.Act)).Inc()
	if e.Bytes > 0 {
		m.moved.WithLabelValues(string(e.Act)).Add(float64(e.Bytes))
	}
}

// told counts an attempt to post a message.
func (m *metrics) told(ok bool) { m.messages.WithLabelValues(strconv.FormatBool(ok)).Inc() }

// stateGauges ask the database when Prometheus asks.
type stateGauges struct{ s *Service }

var (
	runsWaiting = prometheus.NewDesc("concord_runs", "Runs that are queued or running.", []string{"state"}, nil)
	alertsOpen  = prometheus.NewDesc("concord_alerts_open", "Alerts that are not resolved.", []string{"kind"}, nil)
	lastFired   = prometheus.NewDesc("concord_job_last_fire_timestamp_seconds", "The latest time that a job fired for.", []string{"job"}, nil)
	jobPaused   = prometheus.NewDesc("concord_job_paused", "1 while a job is paused.", []string{"job"}, nil)
)

// Describe implements prometheus.Collector.
func (stateGauges) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{runsWaiting, alertsOpen, lastFired, jobPaused} {
		c <- d
	}
}

// Collect implements prometheus.Collector.
func (g stateGauges) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, part := range []func(context.Context, chan<- prometheus.Metric) error{g.runs, g.alerts, g.jobs} {
		if err := part(ctx, c); err != nil {
			g.s.Log.Error("metrics", "error", err.Error())
		}
	}
}

func put(c chan<- prometheus.Metric, d *prometheus.Desc, value float64, label string) {
	c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, label)
}

func (g stateGauges) runs(ctx context.Context, c chan<- prometheus.Metric) error {
	for _, state := range []jobs.RunState{jobs.RunQueued, jobs.RunRunning} {
		list, err := g.s.store.Runs(ctx, jobs.RunFilter{State: state})
		if err != nil {
			return err
		}
		put(c, runsWaiting, float64(len(list)), string(state))
	}
	return nil
}

func (g stateGauges) alerts(ctx context.Context, c chan<- prometheus.Metric) error {
	list, err := g.s.store.Alerts(ctx, jobs.AlertFilter{Open: true})
	if err != nil {
		return err
	}
	open := map[jobs.AlertKind]int{}
	for _, k := range []jobs.AlertKind{jobs.AlertFileMissing, jobs.AlertGap, jobs.AlertRejected, jobs.AlertRunFailed, jobs.AlertRunLate, jobs.AlertHost, jobs.AlertFeed, jobs.AlertDisk, jobs.AlertReportLost, jobs.AlertLocked, jobs.AlertNoData} {
		open[k] = 0
	}
	for _, a := range list {
		open[a.Kind]++
	}
	for kind, n := range open {
		put(c, alertsOpen, float64(n), string(kind))
	}
	return nil
}

func (g stateGauges) jobs(ctx context.Context, c chan<- prometheus.Metric) error {
	pauses, err := g.s.store.Paused(ctx)
	if err != nil {
		return err
	}
	paused := map[string]float64{}
	for _, p := range pauses {
		paused[p.Job] = 1
	}
	for _, j := range g.s.cfg().Jobs {
		put(c, jobPaused, paused[j.Name], j.Name)
		at, err := g.s.store.LastFire(ctx, j.Name)
		if err != nil {
			return err
		}
		if !at.IsZero() {
			put(c, lastFired, float64(at.Unix()), j.Name)
		}
	}
	return nil
}
