package state

import (
	"context"

	"concord/jobs"
)

// proofColumns are those of a proof, in the order of proofValues and
// scanProof.
const proofColumns = "seq, at, act, class, country, carrier, rule, ref, count, bytes, data_from, data_to, run, asked_by, items, prev, sum"

var insertProof = "INSERT INTO privacy_proofs (" + proofColumns + ") VALUES " + tuples(1, 17)

// Testify implements jobs.Proofs.
func (s *Store) Testify(ctx context.Context, p jobs.Proof) (out jobs.Proof, err error) {
	err = s.write(ctx, "testify to what was done", func(t tx) (err error) {
		out, err = t.testify(ctx, p)
		return err
	})
	if err != nil {
		return jobs.Proof{}, err
	}
	return out, nil
}

// testify adds a proof within a transaction, with what it is about. From then
// on others that testify wait for its end.
func (t tx) testify(ctx context.Context, p jobs.Proof) (jobs.Proof, error) {
	seq, sum, err := t.proofHead(ctx, t.d.lockRow)
	if err != nil {
		return p, err
	}
	if p, err = p.Seal(seq, sum); err != nil {
		return p, err
	}
	if _, err := t.exec(ctx, insertProof, proofValues(&p)...); err != nil {
		return p, err
	}
	_, err = t.exec(ctx, "UPDATE privacy_head SET seq = $1, sum = $2 WHERE one = 1", p.Seq, p.Sum)
	return p, err
}

func (t tx) proofHead(ctx context.Context, lock string) (seq int64, sum string, err error) {
	_, err = t.one(ctx, []any{&seq, &sum}, "SELECT seq, sum FROM privacy_head WHERE one = 1"+lock)
	return seq, sum, err
}

// ProofHead implements jobs.Proofs.
func (s *Store) ProofHead(ctx context.Context) (seq int64, sum string, err error) {
	err = s.read(ctx, "find the last proof", func(t tx) (err error) {
		seq, sum, err = t.proofHead(ctx, "")
		return err
	})
	return seq, sum, err
}

// Proofs implements jobs.Proofs.
func (s *Store) Proofs(ctx context.Context, f jobs.ProofFilter) (list []jobs.Proof, err error) {
	var w where
	w.equal("act", string(f.Act))
	w.equal("class", f.Class)
	w.equal("carrier", f.Carrier)
	w.equal("ref", f.Ref)
	if !f.Since.IsZero() {
		w.add("at >= ?", f.Since)
	}
	if f.After != 0 {
		w.add("seq > ?", f.After)
	}
	if f.Before != 0 {
		w.add("seq < ?", f.Before)
	}
	order := " ORDER BY seq"
	if f.Latest {
		order += " DESC"
	}
	err = s.read(ctx, "list proofs", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var p jobs.Proof
			err := scanProof(&p, scan)
			list = append(list, p)
			return err
		}, "SELECT "+proofColumns+" FROM privacy_proofs"+w.text()+order+w.limit(f.Limit), w.args...)
	})
	return list, err
}

func proofValues(p *jobs.Proof) []any {
	return []any{
		p.Seq, edge(p.At), string(p.Act), p.Class, p.Country, p.Carrier, p.Rule, p.Ref, p.Count, p.Bytes,
		p.From, p.To, p.Run, p.By, p.Items, p.Prev, p.Sum,
	}
}

func scanProof(p *jobs.Proof, scan func(...any) error) error {
	return scan(&p.Seq, moment{&p.At}, &p.Act, &p.Class, &p.Country, &p.Carrier, &p.Rule, &p.Ref, &p.Count, &p.Bytes,
		moment{&p.From}, moment{&p.To}, &p.Run, &p.By, &p.Items, &p.Prev, &p.Sum)
}
